import { DeltaError } from "#src/errors.js";
import type { Operation, Outcome } from "./history.js";
import { lackedVersions } from "./retention.js";
import { type Call, type Stage, verbOf } from "./verbs.js";

/** What a call asks for beside its verb. */
export type Ask = Partial<Pick<Operation, "txn" | "asked">>;

/** Calls a verb and records the call in the history. */
export async function perform(stage: Stage, call: Call, id: string, { txn, asked = {} }: Ask): Promise<Outcome> {
  const { world, life } = stage;
  const verb = verbOf(call.verb);
  const rowCount = verb.rowCount?.(call.pick) ?? 0;
  const rowIds = Array.from({ length: rowCount }, (_, index) => `${id}:${index}`);
  const operation: Operation = {
    id,
    client: life.client,
    verb: call.verb,
    rowIds,
    changes: verb.changes?.(call.pick, rowIds, asked),
    txn,
    asked,
    begin: world.note(life, `${call.verb} ${id} ${JSON.stringify({ ...txn, ...asked })}`),
    end: undefined,
    lacks: undefined,
    outcome: undefined,
  };
  world.operations.push(operation);
  const outcome = await verb.run(stage, operation).then(
    (value): Outcome => ({ status: "ok", value }),
    (error: unknown): Outcome => ({ status: "failed", code: codeOf(error) }),
  );
  operation.outcome = outcome;
  if (world.kind !== undefined && outcome.status === "failed") operation.lacks = lackedVersions(world);
  operation.end = world.note(life, `${id} ended: ${JSON.stringify(outcome)}`);
  return outcome;
}

function codeOf(error: unknown): string {
  return error instanceof DeltaError ? error.code : `no DeltaError: ${error instanceof Error ? error.stack : error}`;
}
