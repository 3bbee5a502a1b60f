import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import type { Snapshot } from "../../log/snapshot.js";
import { columnText } from "../../schema/columns.js";
import { editField, spelledPath } from "../../schema/editSchema.js";
import { exactJson } from "../../schema/exactJson.js";
import { schemaToJson } from "../../schema/json.js";
import type { StructField } from "../../schema/types.js";
import type { ReadSet } from "../../write/conflicts.js";
import { IDENTITY_MARK, IDENTITY_START, IDENTITY_STEP } from "../../write/rowRules.js";
import { rowsOf, Scan } from "../scan.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";
import { type ColumnPath, columnPath } from "./columnPath.js";

/** Values that come meanwhile may be further. */
const EVERY_ROW: ReadSet = { mayMatch: () => true, files: "all" };

/** Implements `TableAlter.syncIdentity`; see there. */
export function syncIdentity(log: DeltaLog, column: ColumnPath, options: AlterOptions): Promise<AlterResult> {
  return alterTable(log, options, async (snapshot) => {
    const { schema, metadata } = snapshot;
    const path = spelledPath(schema, columnPath(column));
    const field = path.length === 1 ? schema.fields.find(({ name }) => name === path[0]) : undefined;
    if (field === undefined || !Object.hasOwn(field.metadata, IDENTITY_STEP)) {
      throw new DeltaError(
        "DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN",
        `"${columnText(path)}" isn't an identity column.`,
        { column: columnText(path) },
      );
    }
    const mark = markAfter(field, await furthest(snapshot, field, options.signal));
    if (mark === undefined) return undefined;
    const changed = editField(schema, path, (own) => ({
      ...own,
      metadata: { ...own.metadata, [IDENTITY_MARK]: mark },
    }));
    return {
      metadata: { ...metadata, schemaString: schemaToJson(changed) },
      reads: EVERY_ROW,
      operation: "CHANGE COLUMN",
      operationParameters: { column: exactJson({ ...field, metadata: { ...field.metadata, [IDENTITY_MARK]: mark } }) },
    };
  });
}

const numberOf = ({ metadata }: StructField, key: string): bigint | undefined =>
  metadata[key] === undefined ? undefined : BigInt(String(metadata[key]));

/** The value that is furthest in the direction in which values are given; undefined where there is none. */
async function furthest(
  snapshot: Snapshot,
  field: StructField,
  signal: AbortSignal | undefined,
): Promise<bigint | undefined> {
  const descends = (numberOf(field, IDENTITY_STEP) ?? 1n) < 0n;
  let found: bigint | undefined;
  const scan = new Scan(async () => rowsOf(snapshot), { columns: [field.name], signal });
  for await (const batch of scan.batches()) {
    const values = batch.getChildAt(0)!;
    for (let row = 0; row < batch.numRows; row++) {
      const value = values.get(row) as bigint | null;
      if (value !== null && (found === undefined || (descends ? value < found : value > found))) found = value;
    }
  }
  return found;
}

/** The last value that counts as given once there is this one: never one before those that were given; undefined where nothing changes. */
function markAfter(field: StructField, value: bigint | undefined): bigint | undefined {
  if (value === undefined) return undefined;
  const [start, step] = [numberOf(field, IDENTITY_START) ?? 1n, numberOf(field, IDENTITY_STEP) ?? 1n];
  const before = numberOf(field, IDENTITY_MARK);
  const isBefore = (one: bigint, other: bigint) => (step < 0n ? one > other : one < other);
  if (isBefore(value, start)) return undefined;
  const rest = (value - start) % step;
  const mark = rest === 0n ? value : value - rest + step;
  return before !== undefined && !isBefore(before, mark) ? undefined : mark;
}
