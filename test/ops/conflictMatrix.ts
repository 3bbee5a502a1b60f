import type { Table } from "#src/index.js";

/** A row of the table that the verbs are for. */
export type Row = { id: bigint; part: string; n: number | null };
export type Verb = (table: Table<Row>) => Promise<unknown>;

/** A row of a part that the table has. */
export const inA = { id: 90n, part: "a", n: 0 };
/** A row of a part that the table lacks. */
export const inC = { id: 91n, part: "c", n: 0 };

/** Changes of {@link filled}, which has parts a and b, each with two files: ids 1 and 2, 3 and 4 in a, 11 and 12, 13 and 14 in b. */
export const VERBS: Readonly<Record<string, Verb>> = {
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
export const NAMES = Object.keys(VERBS);

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

export const FORMS: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["copies", {}, SERIALIZABLE],
  ["vectors", { "delta.enableDeletionVectors": "true" }, VECTORS],
  ["blind appends pass", { "delta.isolationLevel": "WriteSerializable" }, BLIND_APPENDS_PASS],
];

/** What comes of a verb that staged its files before another one was committed, by form. */
export function outcomeOf(form: string, loser: string, winner: string): string {
  const [, , matrix] = FORMS.find(([name]) => name === form)!;
  const lines = matrix.trim().split(/\s+/);
  return CODES[lines[NAMES.indexOf(loser)]![NAMES.indexOf(winner)]!]!;
}

/** Creates the table that the verbs are for. */
export async function filled(table: Table<Row>, properties: Readonly<Record<string, string>>): Promise<void> {
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
}
