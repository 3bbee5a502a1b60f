import { DeltaError } from "../errors.js";
import type { SetTransaction } from "../log/actions.js";
import { runtime } from "../runtime.js";

/** Progress of applications that a commit moves on from where it must be. */
export type TransactionMove = readonly {
  readonly appId: string;
  /** What the table must have recorded; undefined for nothing. */
  readonly from: SetTransaction["version"] | undefined;
  readonly to: SetTransaction["version"];
}[];

/** Throws `DELTA_CONCURRENT_TRANSACTION` where the table records something else than the move starts from. */
export function checkMove(transactions: ReadonlyMap<string, SetTransaction> | undefined, move: TransactionMove): void {
  for (const { appId, from } of move) {
    const recorded = transactions?.get(appId)?.version;
    if (recorded === from) continue;
    throw new DeltaError(
      "DELTA_CONCURRENT_TRANSACTION",
      `Another run has moved "${appId}" on, from ${from ?? "its start"} to ${recorded ?? "nothing"}. Nothing was written; read where it is and go on from there.`,
      { appId, expected: from, recorded },
    );
  }
}

/** The actions that make the move. */
export function moveActions(move: TransactionMove): { readonly txn: SetTransaction }[] {
  const lastUpdated = runtime.now();
  return move.map(({ appId, to }) => ({ txn: { appId, version: to, lastUpdated } }));
}
