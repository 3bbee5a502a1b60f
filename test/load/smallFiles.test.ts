import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { csvLines, HEADER, idsOf, isBad, range, SCHEMA, scratchFolder } from "./loadFixture.js";

const root = await scratchFolder();

describe("small files that are parsed together", () => {
  it("keep their own columns, line ends and bad records", async () => {
    const source = join(root, "src");
    await mkdir(source);
    const lines = (from: number) => csvLines(from, from + 100);
    // Every third file has its columns in another order, every fifth one other line ends, every seventh one is empty.
    const texts = range(0, 60).map((file) => {
      if (file % 7 === 3) return HEADER;
      if (file % 3 === 1)
        return `v,id\n${range(file * 100, file * 100 + 100)
          .map((id) => (isBad(id) ? `x,${id}` : `${id / 2},${id}`))
          .join("\n")}`;
      const text = HEADER + lines(file * 100);
      return file % 5 === 0 ? text.replaceAll(/\n(?=\d+,")/g, "\r\n") : text;
    });
    await Promise.all(texts.map((text, i) => writeFile(join(source, `f${String(i).padStart(3, "0")}.csv`), text)));
    const table = Table.open(join(root, "t"));
    const result = await table.load(source, { schema: SCHEMA });
    const ids = range(0, 6000).filter((id) => Math.floor(id / 100) % 7 !== 3);
    expect(result).toMatchObject({ rowsRead: ids.length, filesDone: 60, batches: 1 });
    expect(await idsOf(table)).toEqual(ids.filter((id) => !isBad(id)));
    const letters = Table.open(join(root, "t/_dead_letters"));
    const bad = ids.filter(isBad);
    expect((await letters.toArray()).length).toBe(bad.length);
    for (const { file, record, raw } of await letters.toArray()) {
      const number = Number(/f(\d+)\.csv$/.exec(String(file))![1]);
      const id = number * 100 + Number(record);
      expect(isBad(id)).toBe(true);
      expect(Buffer.from(raw as Uint8Array).toString()).toBe(number % 3 === 1 ? `x,${id}` : `${id},"bad, ${id}",x`);
    }
    const values = await table.toArray({ columns: ["id", "v", "name"] });
    for (const { id, v, name } of values) {
      const isSwapped = Math.floor(Number(id) / 100) % 3 === 1;
      expect([v, name]).toEqual([Number(id) / 2, isSwapped ? null : `name\n${id}`]);
    }
  });
});
