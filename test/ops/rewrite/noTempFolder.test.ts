import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Table } from "#src/index.js";

// Alone in its file: where temporary files go is looked up once.
test("a process without a folder for temporary files copies rows without DuckDB", async () => {
  const folder = await mkdtemp(join(tmpdir(), "delta-no-temp-"));
  const before = process.env.TMPDIR;
  try {
    const table = Table.open(join(folder, "table"));
    await table.create({ schema: { id: "long", bytes: "binary" } });
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const rows = Array.from({ length: 100 }, (_, i) => ({ id: BigInt(i), bytes: bytes.map((byte) => byte ^ i) }));
    await table.append(rows as never);
    await table.append(rows as never);
    await writeFile(join(folder, "file"), "");
    process.env.TMPDIR = join(folder, "file");
    expect(await table.delete({ id: 5n } as never)).toMatchObject({ deletedRowCount: 2 });
    expect(await table.update({ set: { bytes: null }, where: { id: 6n } } as never)).toMatchObject({ version: 4 });
    await table.optimize();
    expect(await table.count()).toBe(198);
    expect((await table.verify()).findings).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(folder, { recursive: true });
  }
});
