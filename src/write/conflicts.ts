import { isDeepStrictEqual } from "node:util";
import type { ErrorCode } from "../errors.js";
import type { Metadata, Protocol, SetTransaction } from "../log/actions.js";

/** The part of a snapshot that a blind append relies on. */
export interface ReadState {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly transactions: ReadonlyMap<string, SetTransaction>;
}

/** Why a transaction can't stand after the commits that won against it, in Delta's own terms. */
export interface Conflict {
  readonly code: Extract<
    ErrorCode,
    "DELTA_PROTOCOL_CHANGED" | "DELTA_METADATA_CHANGED" | "DELTA_CONCURRENT_TRANSACTION"
  >;
  readonly appId?: string;
}

/**
 * Decides whether a blind append made from `read` may go after `now`, the table as other writers left it.
 *
 * An append that reads no rows conflicts with no other append and no delete, only with a new protocol, new metadata, or
 * progress of an application whose progress it sets itself (Delta's conflict rules).
 */
export function findConflict(read: ReadState, now: ReadState, appIds: readonly string[]): Conflict | undefined {
  if (!isDeepStrictEqual(read.protocol, now.protocol)) return { code: "DELTA_PROTOCOL_CHANGED" };
  if (!isDeepStrictEqual(read.metadata, now.metadata)) return { code: "DELTA_METADATA_CHANGED" };
  const appId = appIds.find((id) => !isDeepStrictEqual(read.transactions.get(id), now.transactions.get(id)));
  return appId === undefined ? undefined : { code: "DELTA_CONCURRENT_TRANSACTION", appId };
}
