import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { sql, Table, type TableTransaction } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import fc from "../fastCheck.js";

type Row = { id: bigint; part: string; n: number | null };
/** The verbs that a table and a transaction both have. */
type Target = Pick<TableTransaction<Row>, "append" | "delete" | "update" | "merge" | "overwrite">;

/** A change, and what it does to a list of rows and, in SQL, to a table `t` of DuckDB's. */
interface Step {
  readonly text: string;
  readonly run: (table: Target) => Promise<unknown>;
  readonly model: (rows: readonly Row[]) => Row[];
  readonly sql: readonly string[];
}

const number = fc.oneof(fc.constant(null), fc.integer({ min: -5, max: 5 }));
const part = fc.constantFrom("a", "b", "c");
const rowsArbitrary = (first: number) =>
  fc
    .array(fc.record({ part, n: number }), { minLength: 1, maxLength: 6 })
    .map((rows): Row[] => rows.map((row, i) => ({ id: BigInt(first + i), ...row })));
const low = fc.integer({ min: 0, max: 40 });

const valuesOf = (rows: readonly Row[]) =>
  rows.map(({ id, part: p, n }) => `(${id}, '${p}', ${n ?? "NULL"})`).join(", ");
const insertOf = (rows: readonly Row[]) => (rows.length === 0 ? [] : [`INSERT INTO t VALUES ${valuesOf(rows)}`]);

/** Ids below 50 are those that are there from the start or come by appends; each append has its own. */
let nextId = 0;
const fresh = rowsArbitrary(0).map((rows) => (): Row[] => rows.map((row) => ({ ...row, id: BigInt(nextId++ % 60) })));

const steps: fc.Arbitrary<() => Step> = fc.oneof(
  fresh.map((make) => (): Step => {
    const rows = make();
    return {
      text: `append ${valuesOf(rows)}`,
      run: (table) => table.append(rows),
      model: (all) => [...all, ...rows],
      sql: insertOf(rows),
    };
  }),
  low.map(
    (at) => (): Step => ({
      text: `delete id in [${at}, ${at + 8})`,
      run: (table) => table.delete({ id: { gte: BigInt(at), lt: BigInt(at + 8) } }),
      model: (all) => all.filter(({ id }) => id < at || id >= at + 8),
      sql: [`DELETE FROM t WHERE id >= ${at} AND id < ${at + 8}`],
    }),
  ),
  part.map(
    (name) => (): Step => ({
      text: `delete part ${name}`,
      run: (table) => table.delete(`part = '${name}' AND n > 0`),
      model: (all) => all.filter((row) => row.part !== name || row.n === null || row.n <= 0),
      sql: [`DELETE FROM t WHERE part = '${name}' AND n > 0`],
    }),
  ),
  fc.tuple(low, part).map(
    ([at, name]) =>
      (): Step => ({
        text: `update id ${at} to ${at + 10}: n + 1, part ${name}`,
        run: (table) =>
          table.update({ set: { n: sql`n + 1`, part: name }, where: { id: { gte: BigInt(at), lt: BigInt(at + 10) } } }),
        model: (all) =>
          all.map((row) =>
            row.id < at || row.id >= at + 10 ? row : { ...row, n: row.n === null ? null : row.n + 1, part: name },
          ),
        sql: [`UPDATE t SET n = n + 1, part = '${name}' WHERE id >= ${at} AND id < ${at + 10}`],
      }),
  ),
  fc.tuple(low, rowsArbitrary(0)).map(([at, given]) => (): Step => {
    const rows = given.map((row, i) => ({ ...row, id: BigInt(at + i) }));
    return {
      text: `merge ${valuesOf(rows)}`,
      run: (table) =>
        table.merge(rows, {
          on: ["id"],
          whenMatched: [{ where: "source.n IS NULL", delete: true }, { update: "*" }],
          whenNotMatched: [{ insert: "*" }],
        }),
      model: (all) => {
        const byId = new Map(rows.map((row) => [row.id, row]));
        const known = new Set(all.map(({ id }) => id));
        const kept = all.flatMap((row) => {
          const source = byId.get(row.id);
          if (source === undefined) return [row];
          return source.n === null ? [] : [source];
        });
        return [...kept, ...rows.filter(({ id }) => !known.has(id))];
      },
      sql: [
        `CREATE OR REPLACE TEMP TABLE s AS SELECT * FROM (VALUES ${valuesOf(rows)}) AS v(id, part, n)`,
        "CREATE OR REPLACE TEMP TABLE added AS SELECT * FROM s WHERE id NOT IN (SELECT id FROM t)",
        "DELETE FROM t USING s WHERE t.id = s.id AND s.n IS NULL",
        "UPDATE t SET part = s.part, n = s.n FROM s WHERE t.id = s.id",
        "INSERT INTO t SELECT * FROM added",
      ],
    };
  }),
  fc.tuple(part, fresh).map(([name, make]) => (): Step => {
    const rows = make().map((row) => ({ ...row, part: name }));
    return {
      text: `overwrite where part = ${name} by ${valuesOf(rows)}`,
      run: (table) => table.overwrite(rows, { where: { part: name } }),
      model: (all) => [...all.filter((row) => row.part !== name), ...rows],
      sql: [`DELETE FROM t WHERE part = '${name}'`, ...insertOf(rows)],
    };
  }),
  fresh.map((make) => (): Step => {
    const rows = make();
    return {
      text: `overwrite by ${valuesOf(rows)}`,
      run: (table) => table.overwrite(rows),
      model: () => rows,
      sql: ["DELETE FROM t", ...insertOf(rows)],
    };
  }),
);

interface Form {
  readonly properties: Readonly<Record<string, string>>;
  readonly partitionBy: readonly string[];
}

const on = (name: string) => fc.boolean().map((is): Record<string, string> => (is ? { [name]: "true" } : {}));
const forms: fc.Arbitrary<Form> = fc
  .tuple(
    on("delta.enableDeletionVectors"),
    on("delta.enableChangeDataFeed"),
    on("delta.enableRowTracking"),
    on("delta.enableInCommitTimestamps"),
    fc.constantFrom("none", "name", "id"),
    fc.constantFrom("1", "3", "10"),
    fc.constantFrom([], ["part"]),
  )
  .map(([vectors, changes, tracking, times, mode, interval, partitionBy]) => ({
    properties: {
      ...vectors,
      ...changes,
      ...tracking,
      ...times,
      ...(mode === "none" ? {} : { "delta.columnMapping.mode": mode }),
      "delta.checkpointInterval": interval,
    },
    partitionBy,
  }));

/** A change, several in a transaction, or what changes no row. */
const acts = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: steps.map((step) => [step]) },
    { weight: 2, arbitrary: fc.array(steps, { minLength: 2, maxLength: 3 }) },
    { weight: 2, arbitrary: fc.constantFrom("optimize", "purge", "z-order", "checkpoint", "open") },
  ),
  { minLength: 1, maxLength: 7 },
);

const textOf = ({ id, part: p, n }: Row) => `${id} ${p} ${n}`;
const sortedTexts = (rows: readonly Row[]) => rows.map(textOf).sort();

test("any changes of a table are those of a list of rows, and of a table of DuckDB's", async () => {
  const duckdb = await (await DuckDBInstance.create(":memory:")).connect();
  await fc.assert(
    fc.asyncProperty(forms, acts, async ({ properties, partitionBy }, drawn) => {
      nextId = 0;
      const store = memoryStore();
      let table = Table.open<Row>(store);
      await table.create({ schema: { id: "long", part: "string", n: "double" }, properties, partitionBy });
      await duckdb.run("CREATE OR REPLACE TABLE t (id BIGINT, part VARCHAR, n DOUBLE)");
      let model: Row[] = [];
      const versions = new Map<number, readonly string[]>([[0, []]]);
      const tells = properties["delta.enableChangeDataFeed"] === "true";
      for (const act of drawn) {
        if (act === "optimize") await table.optimize();
        else if (act === "purge") await table.optimize({ purge: true });
        else if (act === "z-order") await table.optimize({ zOrderBy: ["id", "n"] });
        else if (act === "checkpoint") await table.checkpoint();
        else if (act === "open") table = Table.open<Row>(store);
        else {
          const made = act.map((make) => make());
          // A transaction of a table that tells its changes doesn't change its own rows: one by one, then.
          if (made.length === 1 || tells) for (const step of made) await step.run(table);
          else {
            await table.transaction(async (tx) => {
              for (const step of made) await step.run(tx);
            });
          }
          for (const step of made) {
            model = step.model(model);
            for (const text of step.sql) await duckdb.run(text);
          }
        }
        const rows = await table.toArray();
        expect(sortedTexts(rows)).toEqual(sortedTexts(model));
        expect(await table.count()).toBe(model.length);
        versions.set(await table.version(), sortedTexts(rows));
      }
      const reader = await duckdb.runAndReadAll("SELECT id, part, n FROM t");
      const judged = reader.getRowObjects() as unknown as Row[];
      expect(sortedTexts(judged)).toEqual(sortedTexts(model));
      for (const [version, rows] of versions) expect(sortedTexts(await table.at(version).toArray())).toEqual(rows);
      expect((await table.verify()).findings.filter(({ severity }) => severity !== "info")).toEqual([]);
      if (tells) await checkChanges(table, versions);
      if (properties["delta.enableRowTracking"] === "true") await checkRowIds(table);
    }),
    { numRuns: 40 },
  );
});

/** What is told of the changes after a version leads from its rows to the last ones. */
async function checkChanges(table: Table<Row>, versions: ReadonlyMap<number, readonly string[]>): Promise<void> {
  const last = await table.version();
  const counts = new Map<string, number>();
  if (last === 0) return;
  for await (const { _change_type: type, ...row } of table.changes({ from: 1 })) {
    const sign = type === "insert" || type === "update_postimage" ? 1 : -1;
    const text = textOf(row as Row);
    counts.set(text, (counts.get(text) ?? 0) + sign);
  }
  const left = [...counts].flatMap(([text, count]) => {
    expect(count).toBeGreaterThanOrEqual(0);
    return new Array<string>(count).fill(text);
  });
  expect(left.sort()).toEqual(versions.get(last));
}

async function checkRowIds(table: Table<Row>): Promise<void> {
  const rows = await table.toArray({ columns: ["id", "_metadata.row_id"] });
  const ids = rows.map((row) => (row as unknown as Record<string, bigint>)["_metadata.row_id"]);
  expect(new Set(ids).size).toBe(rows.length);
}
