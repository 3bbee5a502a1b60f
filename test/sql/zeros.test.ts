import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";

const SCHEMA = { id: "long", single: "float", double: "double" } as const;
const ROWS = Array.from({ length: 40 }, (_, i) => ({
  id: BigInt(i),
  single: i % 2 === 0 ? 0 : -0,
  double: i % 3 === 0 ? -0 : 0,
}));

describe("both zeros of a column stay what they are", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "delta-zeros-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const sorted = async (table: Table) =>
    (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id)) as unknown as typeof ROWS;
  const made = async (name: string, properties = {}) => {
    const table = Table.open(join(folder, name));
    await table.create({ schema: SCHEMA, properties });
    await table.append(ROWS);
    return table;
  };

  test("when a CSV file is loaded", async () => {
    const text = (value: number) => (Object.is(value, -0) ? "-0.0" : "0.0");
    const lines = ROWS.map(({ id, single, double }) => `${id},${text(single)},${text(double)}`);
    await writeFile(join(folder, "rows.csv"), `id,single,double\n${lines.join("\n")}\n`);
    const table = Table.open(join(folder, "loaded"));
    await table.load(join(folder, "rows.csv"), { schema: SCHEMA });
    expect(await sorted(table)).toEqual(ROWS);
  });

  test.each(["true", "false"])("when rows are updated, with deletion vectors %s", async (vectors) => {
    const table = await made(`updated-${vectors}`, { "delta.enableDeletionVectors": vectors });
    await table.update({ set: { single: sql`-single` }, where: "id >= 10" });
    expect(await sorted(table)).toEqual(ROWS.map((row) => (row.id >= 10n ? { ...row, single: -row.single } : row)));
  });

  test.each(["true", "false"])("when rows are merged, with deletion vectors %s", async (vectors) => {
    const table = await made(`merged-${vectors}`, { "delta.enableDeletionVectors": vectors });
    const source = Table.open(join(folder, `source-${vectors}`));
    await source.append(ROWS.map((row) => ({ ...row, id: row.id + 20n, double: -row.double })));
    await table.merge(source, {
      on: ["id"],
      whenMatched: [{ update: { single: sql`-target.single`, double: sql`source.double` } }],
      whenNotMatched: [{ insert: "*" }],
    });
    const rows = (await sorted(table)).map(({ single, double }) => [single, double]);
    const kept = ROWS.slice(0, 20).map(({ single, double }) => [single, double]);
    const matched = ROWS.slice(20).map(({ single }, i) => [-single, -ROWS[i]!.double]);
    const inserted = ROWS.slice(20).map(({ single, double }) => [single, -double]);
    expect(rows).toEqual([...kept, ...matched, ...inserted]);
  });
});
