import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Table } from "#src/table.js";
import { failed, inFolder, objects, ok, run } from "./command.js";

async function inTable(use: (T: string, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const T = join(folder, "t");
    const table = Table.open(T);
    await table.append([{ id: 1, day: "mon" }], { partitionBy: ["day"] });
    await table.append([{ id: 2, day: "tue" }]);
    await table.append([{ id: 3, day: "tue" }]);
    await use(T, folder);
  });
}

const ids = async (T: string) =>
  objects(await ok(["read", T]))
    .map(({ id }) => id)
    .sort();

test("overwrite replaces all rows, those of a condition, or partitions", async () => {
  await inTable(async (T, folder) => {
    const file = join(folder, "rows.jsonl");
    await writeFile(file, '{"id": 20, "day": "tue"}\n');
    expect(await ok(["overwrite", T, file, "--where", "day = 'tue'"])).toContain("wrote 1 row ");
    expect(await ids(T)).toEqual([1, 20]);
    expect((await failed(1, ["overwrite", T, file, "--where", "day = 'mon'"])).code).toBe(
      "DELTA_REPLACE_WHERE_MISMATCH",
    );
    await writeFile(file, '{"id": 10, "day": "mon"}\n');
    expect(JSON.parse(await ok(["overwrite", T, file, "--dynamic-partitions", "--json"]))).toMatchObject({
      version: 4,
      rowCount: 1,
      removedFileCount: 1,
    });
    expect(await ids(T)).toEqual([10, 20]);
    await writeFile(file, '{"name": "a", "n": 1}\n');
    await ok(["overwrite", T, file, "--overwrite-schema", "--partition-by", "name", "--user-metadata", "new"]);
    expect(objects(await ok(["read", T]))).toEqual([{ name: "a", n: 1 }]);
    expect((await Table.open(T).history())[0]).toMatchObject({ userMetadata: "new" });
    expect((await run(["overwrite", T, join(folder, "gone.jsonl")])).code).not.toBe(0);
  });
});

test("optimize makes files fewer", async () => {
  await inTable(async (T) => {
    expect(await ok(["optimize", T, "--where", "day = 'mon'"])).toContain("nothing to do");
    expect(await ok(["optimize", T])).toContain("2 files ");
    expect(JSON.parse(await ok(["optimize", T, "--z-order-by", "id", "--json"]))).toMatchObject({
      removedFileCount: 2,
    });
    expect(await ids(T)).toEqual([1, 2, 3]);
    expect((await run(["optimize", T, "--target-file-size", "big"])).code).toBe(2);
    expect((await failed(1, ["optimize", T, "--z-order-by", "nope"])).code).toBe("DELTA_INVALID_ARGUMENT");
  });
});

test("compact-log writes one file in the place of commits", async () => {
  await inTable(async (T) => {
    expect(JSON.parse(await ok(["compact-log", T, "--json"]))).toMatchObject({ from: 0, to: 2 });
    expect(await ok(["compact-log", T, "--from", "1"])).toContain("commits 1 to 2");
    expect(await ok(["compact-log", T, "--from", "2"])).toContain("nothing to do");
    expect((await failed(1, ["compact-log", T, "--to", "7"])).code).toBe("DELTA_INVALID_ARGUMENT");
    expect(await ids(T)).toEqual([1, 2, 3]);
  });
});
