import type { RecordBatch } from "apache-arrow";
import { hasCode } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import type { Snapshot } from "../log/snapshot.js";
import { allowsWidening } from "../log/typeWidening.js";
import { isRepeatable, prepareInput, type RowInput } from "../write/input.js";
import { filledColumns, filledOf } from "../write/rowRules.js";
import { checkMove } from "../write/transactionMove.js";
import { checkAddedColumns, checkNewRules, rowRulesFor, ruledBatches } from "./rowRules.js";
import { type SchemaOption, schemaFrom } from "./schemaOption.js";
import {
  type AppendResult,
  type AppendTarget,
  type CommitAppendOptions,
  commitAppend,
  dataFileWriter,
  type IfExists,
  isRecorded,
  isTaken,
  skippedAt,
  targetOf,
} from "./stagedAppend.js";
import { type RowProgress, stageRows } from "./stagedRows.js";

export interface AppendOptions {
  /** The table's schema, where this append creates it or to be sure that it is this one. Inferred where it's missing. */
  readonly schema?: SchemaOption;
  /** Columns to partition a new table by. */
  readonly partitionBy?: readonly string[];
  /** Columns to cluster a new table by: see `CreateOptions.clusterBy`. */
  readonly clusterBy?: readonly string[];
  /** Table properties of a new table. */
  readonly properties?: Readonly<Record<string, string>>;
  /**
   * Adds the columns, nested ones too, that the rows or `schema` have and the table lacks: at the end, and null in all rows that are
   * there. Of a stream of objects the first batch tells which. Where `delta.enableTypeWidening` is on, types become the wider ones of the
   * same family that Arrow columns or `schema` have; else types never change. Default false: such rows don't fit.
   */
  readonly mergeSchema?: boolean;
  /**
   * Makes the append idempotent: if the table already records this version of `appId`, or a later one, nothing is written
   * and the result says `skipped`.
   */
  readonly txn?: { readonly appId: string; readonly version: number };
  /**
   * What a table that is there already means: its rows stay beside these (`append`, the default), the call is an error (`error`,
   * `DELTA_PATH_EXISTS`), or there is nothing to do (`ignore`: the result says `skipped`).
   */
  readonly ifExists?: IfExists;
  /** A text kept in the commit and shown by `history`. */
  readonly userMetadata?: string;
  readonly signal?: AbortSignal;
  /** Called after each batch taken in. */
  readonly onProgress?: (progress: RowProgress) => void;
}

type Commit = Pick<CommitAppendOptions, "move" | "operation" | "operationParameters">;

/** Rows of which others' identity values or new constraints made nothing, in a row. */
const MAX_REWRITES = 100;

/** Implements `Table.append`; see there. `commitOptions` is what the commit says beside the rows: progress comes with the rows, empty or not. */
export async function append(
  log: DeltaLog,
  input: RowInput<object>,
  options: AppendOptions = {},
  commitOptions: Commit = {},
): Promise<AppendResult> {
  for (let rewrites = 0; ; rewrites++) {
    try {
      return await appendOnce(log, input, options, commitOptions);
    } catch (error) {
      // Staged rows can't be given other identity values: they are written again, where they can be read again.
      const isOvertaken = hasCode(error, "DELTA_METADATA_CHANGED") && error.data.rules === true;
      if (!isOvertaken || !isRepeatable(input) || rewrites === MAX_REWRITES) throw error;
      await log.latest(options.signal);
    }
  }
}

async function appendOnce(
  log: DeltaLog,
  input: RowInput<object>,
  options: AppendOptions,
  commitOptions: Commit,
): Promise<AppendResult> {
  const { signal, txn, ifExists } = options;
  const snapshot = log.known ?? (await log.latestIfExists(signal));
  if (snapshot !== undefined && isRecorded(snapshot, txn)) return skippedAt(snapshot);
  if (snapshot !== undefined && isTaken(snapshot, ifExists)) return skippedAt(snapshot);
  checkMove(snapshot?.transactions, commitOptions.move ?? []);

  const { target, batches } = await rowsFor(snapshot, input, options);
  const writer = dataFileWriter(log, target, signal);
  const staged = await stageRows(writer, batches, options);
  const { userMetadata } = options;
  return commitAppend(log, target, staged, { ...commitOptions, txn, ifExists, userMetadata, signal });
}

/** The rows in the schema of the table that takes them, or of the one that they create, by its rules. */
export async function rowsFor(
  snapshot: Snapshot | undefined,
  input: RowInput<object>,
  options: Pick<AppendOptions, "schema" | "mergeSchema" | "partitionBy" | "clusterBy" | "properties">,
): Promise<{ readonly target: AppendTarget; readonly batches: AsyncIterable<RecordBatch> }> {
  const { mergeSchema = false } = options;
  const declared = options.schema === undefined ? undefined : schemaFrom(options.schema);
  // What the table can't take is said before any row is looked at.
  const early = snapshot && targetOf(snapshot, declared ?? snapshot.schema, options);
  const addsColumns = early !== undefined && mergeSchema;
  const widens = addsColumns && allowsWidening(early.protocol, early.metadata);
  const filled = early ? filledColumns(early.protocol, early.metadata, early.schema) : declared && filledOf(declared);
  const prepared = await prepareInput(input, early?.schema ?? declared, addsColumns, widens, filled);
  const { schema } = prepared;
  const plain = early?.schema === schema ? early : targetOf(snapshot, schema, options);
  if (snapshot === undefined) await checkNewRules(plain);
  else if (plain.schema !== snapshot.schema) checkAddedColumns(snapshot.schema, plain.schema);
  const rules = await rowRulesFor(plain);
  const target = rules === undefined ? plain : { ...plain, rules };
  return { target, batches: ruledBatches(prepared, rules) };
}
