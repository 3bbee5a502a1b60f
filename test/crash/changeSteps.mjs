// Changes of a table, one after the other, each known to the table as a version of an application: a step that was committed is skipped.

import { sql } from "#src/index.js";

/** The step from which on all of them have been done. */
export const STEPS = 24;
const txnOf = (step) => ({ txn: { appId: "steps", version: step } });
const rowsOf = (step) => Array.from({ length: 20 }, (_, i) => ({ id: BigInt(step * 20 + i), part: `p${i % 2}`, n: i }));

const VERBS = [
  (table, step) => table.append(rowsOf(step), txnOf(step)),
  (table, step) => table.append(rowsOf(step), txnOf(step)),
  (table, step) => table.delete("id % 7 = 3", txnOf(step)),
  (table, step) => table.update({ set: { n: sql`n + 100` }, where: { id: { gte: BigInt(step) } }, ...txnOf(step) }),
  (table, step) =>
    table.merge(rowsOf(step - 2).slice(0, 30), {
      on: ["id"],
      whenMatched: [{ where: "target.n > 110", delete: true }, { update: { n: sql`source.n + 1000` } }],
      whenNotMatched: [{ insert: "*" }],
      ...txnOf(step),
    }),
  (table, step) => table.optimize(txnOf(step)),
  (table, step) =>
    table.transaction(async (tx) => {
      await tx.delete({ part: "p0" });
      await tx.append(rowsOf(step).slice(0, 5));
    }, txnOf(step)),
  (table, step) =>
    table.overwrite(
      rowsOf(step).map((row) => ({ ...row, part: "p1" })),
      { where: { part: "p1" }, ...txnOf(step) },
    ),
];

/** Does a step, and what is due after it. */
export async function takeStep(table, step) {
  await VERBS[step % VERBS.length](table, step);
  if (step % 6 === 5) await table.vacuum({ retentionHours: 0, enforceRetention: false });
}

export function createTable(table, { properties, partitionBy }) {
  return table.create({ schema: { id: "long", part: "string", n: "double" }, properties, partitionBy });
}
