import { expect, test } from "vitest";
import { DeltaError, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { Gate } from "../storage/gatedStore.js";
import { FORMS, filled, inA, inC, NAMES, outcomeOf, type Row, VERBS } from "./conflictMatrix.js";

const cases = FORMS.flatMap(([form, properties]) =>
  NAMES.flatMap((loser) =>
    NAMES.map((winner) => ({ form, properties, loser, winner, outcome: outcomeOf(form, loser, winner) })),
  ),
);

test.each(cases)("$form: $loser, after $winner: $outcome", async ({ properties, loser, winner, outcome }) => {
  const store = memoryStore();
  const table = Table.open<Row>(store);
  await filled(table, properties);
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
