import { expect, test } from "vitest";
import { DeltaError, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { Gate } from "../storage/gatedStore.js";

type Row = { id: bigint; part: string; n: number | null };
type Verb = (table: Table<Row>) => Promise<unknown>;

const inA = { id: 90n, part: "a", n: 0 };
const inC = { id: 91n, part: "c", n: 0 };

/** The table has parts a and b, each with two files: ids 1 and 2, 3 and 4 in a, 11 and 12, 13 and 14 in b. */
const VERBS: Readonly<Record<string, Verb>> = {
  "append to a": (table) => table.append([inA]),
  "append to c": (table) => table.append([inC]),
  "append with a new column": (table) => table.append([{ ...inC, more: 1 } as Row], { mergeSchema: true }),
  "append as an application": (table) => table.append([inC], { txn: { appId: "app", version: 1 } }),
  "overwrite all": (table) => table.overwrite([inC]),
  "overwrite where a": (table) => table.overwrite([inA], { where: { part: "a" } }),
  "overwrite part c": (table) => table.overwrite([inC], { dynamicPartitions: true }),
  "delete part a": (table) => table.delete({ part: "a" }),
  "delete id 1": (table) => table.delete({ id: 1n, part: "a" }),
  "update id 2": (table) => table.update({ set: { n: 7 }, where: { id: 2n, part: "a" } }),
  "update part b": (table) => table.update({ set: { n: 8 }, where: { part: "b" } }),
  "delete all": (table) => table.delete(),
  "merge into id 1": (table) =>
    table.merge([{ id: 1n, part: "a", n: 9 }], {
      on: "target.id = source.id AND target.part = source.part",
      whenMatched: [{ update: "*" }],
      whenNotMatched: [{ insert: "*" }],
    }),
  "optimize a": (table) => table.optimize({ where: { part: "a" } }),
  "restore version 1": (table) => table.restore(1),
  "set a property": (table) => table.alter.setProperties({ note: "x" }),
};
const NAMES = Object.keys(VERBS);

const CODES: Readonly<Record<string, string>> = {
  "+": "committed",
  A: "DELTA_CONCURRENT_APPEND",
  R: "DELTA_CONCURRENT_DELETE_READ",
  D: "DELTA_CONCURRENT_DELETE_DELETE",
  M: "DELTA_METADATA_CHANGED",
  S: "skipped",
};

/**
 * What comes of a verb (a line) that staged its files before another one (a column, in the same order) was committed. Blind appends
 * go through, whoever won, or are told that they were committed before (S); the others conflict with a winner that added rows they
 * should have read (A), removed files they read (R), or changed the schema (M).
 */
const SERIALIZABLE = `
  ++++++++++++++++
  ++++++++++++++++
  ++++++++++++++++
  +++S++++++++++++
  AAMAAAARAAARARRM
  A+M+RA+RAA+RARRM
  +AMAA+A++++++++M
  A+M+RA+RAA+RARRM
  ++M+RR+RRA+RAR+M
  ++M+RR+RAA+RAR+M
  ++M+R+++++AR++RM
  AAMAAAARAAARARRM
  ++M+RR+RRA+RAR+M
  ++M+RR+RRR+RRRRM
  AAMAAAARAAARARRM
  ++M++++++++++++M
`;

/** A file whose vector has changed is one that was added, and removed before. */
const VECTORS = `
  ++++++++++++++++
  ++++++++++++++++
  ++++++++++++++++
  +++S++++++++++++
  AAMAAAARAAARARRM
  A+M+RA+RAA+RARRM
  +AMAA+A++++++++M
  A+M+RA+RAA+RARRM
  ++M+RR+RAA+RAR+M
  ++M+RR+RAA+RAR+M
  ++M+R+++++AR++RM
  AAMAAAARAAARARRM
  ++M+RR+RAA+RAR+M
  ++M+RR+RRR+RRRRM
  AAMAAAARAAARARRM
  ++M++++++++++++M
`;

/** Delta's isolation level WriteSerializable. */
const BLIND_APPENDS_PASS = `
  ++++++++++++++++
  ++++++++++++++++
  ++++++++++++++++
  +++S++++++++++++
  ++M+AAARAAARARRM
  ++M+RA+RAA+RARRM
  ++M+A+A++++++++M
  ++M+RA+RAA+RARRM
  ++M+RR+RRA+RAR+M
  ++M+RR+RAA+RAR+M
  ++M+R+++++AR++RM
  ++M+AAARAAARARRM
  ++M+RR+RRA+RAR+M
  ++M+RR+RRR+RRRRM
  AAMAAAARAAARARRM
  ++M++++++++++++M
`;

const FORMS: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["copies", {}, SERIALIZABLE],
  ["vectors", { "delta.enableDeletionVectors": "true" }, VECTORS],
  ["blind appends pass", { "delta.isolationLevel": "WriteSerializable" }, BLIND_APPENDS_PASS],
];

const cases = FORMS.flatMap(([form, properties, matrix]) => {
  const lines = matrix.trim().split(/\s+/);
  return NAMES.flatMap((loser, i) =>
    NAMES.map((winner, j) => ({ form, properties, loser, winner, outcome: CODES[lines[i]![j]!]! })),
  );
});

test.each(cases)("$form: $loser, after $winner: $outcome", async ({ properties, loser, winner, outcome }) => {
  const store = memoryStore();
  const table = Table.open<Row>(store);
  await table.create({ schema: { id: "long", part: "string", n: "double" }, properties, partitionBy: ["part"] });
  for (const ids of [
    [1, 2],
    [3, 4],
  ]) {
    const rows = ids.flatMap((id) => [
      { id: BigInt(id), part: "a", n: id },
      { id: BigInt(id + 10), part: "b", n: id },
    ]);
    await table.append(rows);
  }
  const gate = new Gate(store);
  const late = Table.open<Row>(gate.store);
  const reached = gate.shut();
  const losing = VERBS[loser]!(late).then(
    (result) => ((result as { skipped?: boolean }).skipped ? "skipped" : "committed"),
    (error: unknown) => (error instanceof DeltaError ? error.code : error),
  );
  await Promise.race([reached, losing]);
  await VERBS[winner]!(Table.open<Row>(store));
  gate.open();
  expect(await losing).toBe(outcome);
  expect(await table.version()).toBe(outcome === "committed" ? 4 : 3);
  const findings = (await table.verify()).findings.filter(({ severity }) => severity !== "info");
  expect(findings).toEqual([]);
  // Nothing of a loser is left behind.
  if (outcome !== "committed") expect((await table.verify()).findings).toEqual([]);
});

test("a change with txn that finds nothing to do conflicts with rows that came meanwhile", async () => {
  const store = memoryStore();
  const table = Table.open<Row>(store);
  await table.append([inC]);
  const gate = new Gate(store);
  const late = Table.open<Row>(gate.store);
  const reached = gate.shut();
  const deleting = late.delete({ part: "a" }, { txn: { appId: "app", version: 1 } });
  await reached;
  await table.append([inA]);
  gate.open();
  await expectCode("DELTA_CONCURRENT_APPEND", () => deleting);
  expect(await late.delete({ part: "a" }, { txn: { appId: "app", version: 1 } })).toMatchObject({ deletedRowCount: 1 });
});

test("a change with txn that finds nothing to do goes after files that were only rearranged", async () => {
  const store = memoryStore();
  const table = Table.open<Row>(store);
  await table.append([inC]);
  await table.append([inC]);
  const gate = new Gate(store);
  const reached = gate.shut();
  const deleting = Table.open<Row>(gate.store).delete({ part: "a" }, { txn: { appId: "app", version: 1 } });
  await reached;
  await table.optimize();
  gate.open();
  expect(await deleting).toMatchObject({ version: 3, skipped: false, deletedRowCount: 0 });
});

test("a restore conflicts with a vacuum that has begun, which may delete what it brings back", async () => {
  const store = memoryStore();
  const table = Table.open<Row>(store);
  await table.append([inA]);
  await table.delete();
  const gate = new Gate(store);
  const reached = gate.shut();
  const late = Table.open<Row>(gate.store);
  const restoring = late.restore(0);
  await reached;
  await table.vacuum();
  gate.open();
  await expectCode("DELTA_CONCURRENT_DELETE_READ", () => restoring);
  await late.restore(0);
  expect(await table.count()).toBe(1);
});
