import { describe, expect, test } from "vitest";
import { type ChangesOptions, Table, type Timestamp } from "#src/index.js";
import type { Action } from "#src/log/actions.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { countingStore } from "../storage/countingStore.js";
import { ChangingTable, changesOf, expectedChanges, sorted, type TestRow } from "./changingTable.js";

const ON = { "delta.enableChangeDataFeed": "true" };
const rowsOf = (...ids: number[]): TestRow[] => ids.map((id) => ({ id, value: 10 * id }));
const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);
const create = (properties: Record<string, string> = ON) => ChangingTable.create(memoryStore(), properties);

describe("changes of each kind of commit", () => {
  test("[R-CDC-1] are those that the commit made, whoever asks from where", async () => {
    const table = await create();
    await table.insert(rowsOf(...upTo(12)));
    await table.setRemoved((id) => id % 4 === 1);
    await table.setRemoved((id) => id === 5 || id === 2);
    await table.rewrite((row) => (row.id === 3 ? { ...row, value: -1 } : row.id === 8 ? undefined : row));
    await table.optimize();
    await table.setRemoved(() => false);
    await table.insert(rowsOf(20, 21));
    await table.removeFiles((file) => file === 0);
    await table.overwrite(rowsOf(30, 31, 33));
    await table.setRemoved(() => true);
    const all = expectedChanges(table, 0, 10);
    expect(all.filter(({ version }) => version === 3)).toEqual([
      { version: 3, id: 1, part: "b", type: "insert", value: 10 },
      { version: 3, id: 2, part: "b", type: "delete", value: 20 },
      { version: 3, id: 9, part: "a", type: "insert", value: 90 },
    ]);
    expect(all.filter(({ version }) => version === 4).map(({ id, type, value }) => [id, type, value])).toEqual([
      [3, "update_postimage", -1],
      [3, "update_preimage", 30],
      [8, "delete", 80],
    ]);
    for (let from = 0; from <= 10; from++) {
      for (let to = from; to <= 10; to++) {
        const found = await changesOf(table.table, { from, to });
        expect(sorted(found), `${from} to ${to}`).toEqual(expectedChanges(table, from, to));
        expect(found.map(({ version }) => version)).toEqual(found.map(({ version }) => version).sort((a, b) => a - b));
      }
    }
    expect(await table.table.changes({ from: 0 }).count()).toBe(all.length);
    expect(await table.table.at(4).changes({ from: 4 }).count()).toBe(3);
  });

  test("give what is gone before what is new", async () => {
    const table = await create();
    await table.insert(rowsOf(0, 1));
    await table.overwrite(rowsOf(1, 2));
    const types = (await changesOf(table.table, { from: 2 })).map(({ type }) => type);
    expect(types).toEqual(["delete", "delete", "insert", "insert"]);
  });

  test("of a merge that changed nothing are none, though it wrote files anew", async () => {
    const table = await create();
    await table.insert(rowsOf(1));
    const { path, size } = (await table.table.files())[0]!;
    const file = { path, partitionValues: { part: "b" }, size, dataChange: true };
    const metrics = (deleted: string) => ({
      numTargetRowsInserted: "0",
      numTargetRowsUpdated: "0",
      numTargetRowsDeleted: deleted,
    });
    const copy = "part=b/copy.parquet";
    await table.store.put(copy, await table.store.get(path));
    const actions = (deleted: string): Action[] => [
      { commitInfo: { timestamp: 1, operation: "MERGE", operationMetrics: metrics(deleted) } },
      { remove: file },
      { add: { ...file, path: copy, modificationTime: 1 } },
    ];
    await table.commit(actions("0"));
    expect(await changesOf(table.table, { from: 2 })).toEqual([]);
    await table.commit(actions("1"));
    expect(await changesOf(table.table, { from: 3 })).toHaveLength(2);
  });

  test("lead from any version to any later one", async () => {
    const id = fc.integer({ min: 0, max: 30 });
    const operation = fc.oneof(
      fc.record({ op: fc.constant("insert" as const), ids: fc.uniqueArray(id, { minLength: 1, maxLength: 10 }) }),
      fc.record({ op: fc.constant("setRemoved" as const), ids: fc.uniqueArray(id, { maxLength: 12 }) }),
      fc.record({ op: fc.constant("removeFiles" as const), ids: fc.uniqueArray(fc.nat(3), { maxLength: 3 }) }),
      fc.record({ op: fc.constant("overwrite" as const), ids: fc.uniqueArray(id, { minLength: 1, maxLength: 10 }) }),
      fc.record({ op: fc.constant("rewrite" as const), ids: fc.uniqueArray(id, { minLength: 1, maxLength: 10 }) }),
      fc.record({ op: fc.constant("optimize" as const), ids: fc.constant([] as number[]) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 8 }),
        fc.nat(8),
        fc.nat(8),
        async (steps, a, b) => {
          const table = await create();
          const past: TestRow[][] = [[]];
          let value = 0;
          for (const { op, ids } of steps) {
            const chosen = new Set(ids);
            const known = new Set(table.live.map(({ id }) => id));
            if (op === "insert" || op === "overwrite") {
              const fresh = ids.filter((id) => op === "overwrite" || !known.has(id));
              await table[op](fresh.map((id) => ({ id, value: ++value })));
            } else if (op === "rewrite") {
              await table.rewrite((row) => {
                if (!chosen.has(row.id)) return row;
                return row.id % 2 === 0 ? undefined : { ...row, value: ++value };
              });
            } else if (op === "optimize") await table.optimize();
            else await table[op]((one) => chosen.has(one));
            past.push(table.live);
          }
          const [from, to] = [Math.min(a, b, steps.length), Math.min(Math.max(a, b), steps.length)];
          const rows = new Map<string, number>();
          const count = (row: TestRow, by: number) => {
            const key = `${row.id}=${row.value}`;
            const now = (rows.get(key) ?? 0) + by;
            expect(now, key).toBeGreaterThanOrEqual(0);
            if (now === 0) rows.delete(key);
            else rows.set(key, now);
          };
          for (const row of past[from]!) count(row, 1);
          const found = from === to ? [] : await changesOf(table.table, { from: from + 1, to });
          for (const change of found)
            count(change, change.type === "delete" || change.type === "update_preimage" ? -1 : 1);
          expect(sorted([...rows.keys()].map((key) => ({ key })))).toEqual(
            sorted(past[to]!.map(({ id, value }) => ({ key: `${id}=${value}` }))),
          );
          const all = await changesOf(table.table, { from: 0 });
          expect(sorted(all)).toEqual(expectedChanges(table, 0, table.version));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("what is asked for", () => {
  const changing = async () => {
    const table = await create();
    await table.insert(rowsOf(...upTo(9)));
    await table.rewrite((row) => (row.id < 6 ? { ...row, value: row.value + 1 } : row));
    await table.setRemoved((id) => id > 6);
    return table;
  };

  test("columns, conditions and limits, also of the change itself", async () => {
    const { table } = await changing();
    expect(await table.changes({ from: 3, columns: ["_change_type", "id"], where: { part: "b" } }).toArray()).toEqual([
      { _change_type: "delete", id: 7n },
      { _change_type: "delete", id: 8n },
    ]);
    const where = { _change_type: "update_postimage", id: { lt: 2 } } as const;
    expect(await table.changes({ from: 0, columns: ["value"], where }).toArray()).toEqual([
      { value: 1 },
      { value: 11 },
    ]);
    expect(await table.changes({ from: 0, where: { _commit_version: 2n } }).count()).toBe(12);
    expect(await table.changes({ from: 0, where: { _change_type: { ne: "insert" } } }).count()).toBe(14);
    expect(await table.changes({ from: 0, where: { id: 7 } }).count()).toBe(2);
    expect(await table.changes({ from: 0, limit: 10 }).count()).toBe(10);
    expect(await table.changes({ from: 0, limit: 10 }).toArray()).toHaveLength(10);
    const sql = "_change_type LIKE 'update%' AND _commit_version = 2 AND id = 4";
    expect((await table.changes({ from: 1, where: sql }).toArray()).map(({ value }) => value)).toEqual([40, 41]);
    const error = await expectCode("DELTA_INVALID_ARGUMENT", () =>
      table.changes({ from: 0, columns: ["_change_typ" as "_change_type"] }).toArray(),
    );
    expect(error.data).toEqual({ column: "_change_typ", nearest: "_change_type" });
  });

  test("only files that may hold it are read", async () => {
    const store = countingStore(memoryStore());
    const table = await ChangingTable.create(store, ON);
    await table.insert(rowsOf(...upTo(9)));
    await table.insert(rowsOf(100, 101));
    await table.setRemoved((id) => id < 100);
    const gets = () => store.take().filter((call) => call.startsWith("get") && !call.includes("_delta_log"));
    gets();
    const asked = (where: ChangesOptions["where"]) => Table.open(store).changes({ from: 0, where }).toArray();
    expect(await asked({ id: { gt: 99 }, _change_type: "insert" })).toHaveLength(2);
    expect(gets()).toHaveLength(1);
    expect(await asked({ _change_type: "delete", part: "a" })).toHaveLength(3);
    expect(gets()).toEqual(["get part=a/f0.parquet"]);
    expect(await asked({ _commit_version: { gt: 3 } })).toEqual([]);
    expect(gets()).toEqual([]);
  });

  test("[R-CDC-3] rows have the columns of the table and the change, the commit's time as time travel has it", async () => {
    const { table } = await changing();
    const scan = table.changes({ from: 2 });
    expect((await scan.schema()).fields.map(({ name, type }) => [name, type])).toEqual([
      ["id", "long"],
      ["value", "integer"],
      ["part", "string"],
      ["_change_type", "string"],
      ["_commit_version", "long"],
      ["_commit_timestamp", "timestamp"],
    ]);
    const times = new Map((await table.history()).map(({ version, timestamp }) => [BigInt(version), timestamp]));
    const rows = await scan.toArray();
    expect(rows.length).toBe(14);
    for (const row of rows) {
      expect((row._commit_timestamp as Timestamp).getTime()).toBe(times.get(row._commit_version)!.getTime());
    }
    const arrow = await scan.toArrow();
    expect(arrow.numRows).toBe(14);
    expect((await table.changes({ from: 4 }).toArrow()).schema.fields.map(({ name }) => name)).toContain(
      "_change_type",
    );
  });
});

describe("ranges", () => {
  test("[R-CDC-4] are given by versions and times, both included", async () => {
    const table = await create();
    for (const id of upTo(4)) await table.insert(rowsOf(id));
    const times = (await table.table.history()).map(({ timestamp }) => timestamp).reverse();
    const versions = async (options: Parameters<Table["changes"]>[0]) =>
      (await changesOf(table.table, options)).map(({ version }) => version);
    const after = (version: number) => new Date(times[version]!.getTime() + 1);
    expect(await versions({ from: 2, to: 3 })).toEqual([2, 3]);
    expect(await versions({ from: times[2]!, to: times[3]! })).toEqual([2, 3]);
    expect(await versions({ from: times[3]!.toISOString() })).toEqual([3, 4]);
    expect(await versions({ from: "1971-01-01", to: 2 })).toEqual([1, 2]);
    // The times of these commits are a millisecond apart at least, so one more is at most the next one's.
    expect((await versions({ from: after(2) }))[0]).toBe(3);
    expect(await versions({ from: 5 })).toEqual([]);
    expect((await expectCode("DELTA_VERSION_NOT_FOUND", () => versions({ from: 6 }))).data).toEqual({
      version: 6,
      latest: 4,
    });
    await expectCode("DELTA_VERSION_NOT_FOUND", () => versions({ from: 2, to: 5 }));
    await expectCode("DELTA_INVALID_CDC_RANGE", () => versions({ from: 3, to: 2 }));
    await expectCode("DELTA_INVALID_CDC_RANGE", () => versions({ from: times[3]!, to: times[2]! }));
    await expectCode("DELTA_INVALID_CDC_RANGE", () => versions({ from: 3, to: times[1]! }));
    await expectCode("DELTA_INVALID_ARGUMENT", () => versions({ from: -1 }));
    await expectCode("DELTA_INVALID_ARGUMENT", () => versions({ from: "yesterday" }));
    await expectCode("DELTA_TIMESTAMP_OUT_OF_RANGE", () => versions({ from: "2999-01-01" }));
  });

  test("between two commits, and after the last one, nothing changed", async () => {
    const store = memoryStore();
    const table = await ChangingTable.create(store, ON);
    await table.insert(rowsOf(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await table.insert(rowsOf(2));
    const before = (await table.table.history({ limit: 1 }))[0]!.timestamp.getTime();
    const [from, to] = [new Date(before - 5), new Date(before - 2)];
    expect(await changesOf(table.table, { from, to })).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await changesOf(table.table, { from: new Date(before + 1) })).toEqual([]);
  });

  test("whose commits were cleaned up are refused, and say what is left", async () => {
    const table = await create();
    for (const id of upTo(5)) await table.insert(rowsOf(id));
    await table.table.checkpoint();
    for (const version of upTo(4)) await table.store.delete(commitPath(version));
    const error = await expectCode("DELTA_VERSION_NOT_FOUND", () => changesOf(Table.open(table.store), { from: 1 }));
    expect(error.data).toEqual({ version: 3, earliest: 4, latest: 5 });
    expect(await changesOf(Table.open(table.store), { from: 5 })).toHaveLength(1);
  });

  test("whose files were vacuumed are refused, naming version and file", async () => {
    const table = await create();
    await table.insert(rowsOf(1, 2));
    await table.rewrite((row) => ({ ...row, value: -row.value }));
    await table.setRemoved(() => true);
    const paths: string[] = [];
    for await (const { path } of table.store.list("_change_data/")) paths.push(path);
    expect(paths).toHaveLength(1);
    await table.store.delete(paths[0]!);
    const error = await expectCode("DELTA_CHANGE_DATA_FILE_NOT_FOUND", () => changesOf(table.table, { from: 1 }));
    expect(error.data).toEqual({ path: paths[0], version: 2 });
    await expectCode("DELTA_CHANGE_DATA_FILE_NOT_FOUND", () => table.table.changes({ from: 2 }).count());
    expect(await changesOf(table.table, { from: 3 })).toHaveLength(2);
  });
});
