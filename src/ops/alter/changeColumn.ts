import { checkNotNull } from "../../arrow/notNull.js";
import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { isIcebergCompatible } from "../../log/icebergCompat.js";
import type { Snapshot } from "../../log/snapshot.js";
import { allowsWidening } from "../../log/typeWidening.js";
import { columnText } from "../../schema/columns.js";
import { type ColumnPosition, editField, editFields, editType, placed, spelledPath } from "../../schema/editSchema.js";
import { exactJson } from "../../schema/exactJson.js";
import { schemaToJson } from "../../schema/json.js";
import type { TypeLiteral } from "../../schema/literal.js";
import { isIcebergWidening, isWidening } from "../../schema/typeChanges.js";
import type { DataType, StructField, StructType } from "../../schema/types.js";
import type { ReadSet } from "../../write/conflicts.js";
import { DEFAULT, IDENTITY_STEP } from "../../write/rowRules.js";
import { checkDefault } from "../rowRules.js";
import { rowsOf, Scan } from "../scan.js";
import { type AlterOptions, type AlterResult, alterTable, withSchema } from "./alterTable.js";
import { type ColumnPath, columnPath } from "./columnPath.js";
import { typeFrom } from "./columnType.js";
import { checkNoDependents } from "./dependents.js";

/** What of a column is to be another. What is left out stays. */
export interface ColumnChange {
  /** Null takes it away. */
  readonly comment?: string | null;
  /** True lets the column be null; false is refused where a row has null in it. */
  readonly nullable?: boolean;
  /** A wider type; the table needs `delta.enableTypeWidening`. */
  readonly type?: TypeLiteral | DataType;
  /** Among its siblings. */
  readonly position?: ColumnPosition;
  /**
   * What rows that leave the column out get from now on, in Spark SQL; null takes it away. Rows that are there stay as they are. The table
   * needs the feature `allowColumnDefaults`.
   */
  readonly default?: string | null;
}

/** What a change depends on that has looked at every row. */
const EVERY_ROW: ReadSet = { mayMatch: () => true, files: "all" };

/** Implements `TableAlter.changeColumn`; see there. */
export function changeColumn(
  log: DeltaLog,
  column: ColumnPath,
  wanted: ColumnChange,
  options: AlterOptions,
): Promise<AlterResult> {
  return alterTable(log, options, async (snapshot) => {
    const { type, comment, nullable, position, default: value } = wanted;
    const path = spelledPath(snapshot.schema, columnPath(column));
    let { schema } = snapshot;
    if (type !== undefined) schema = withType(snapshot, path, typeFrom(type, path.at(-1)!));
    const isField = [comment, nullable, position, value].some((given) => given !== undefined);
    if (isField) {
      schema = editField(schema, path, (field) => {
        const described = withMetadata(withMetadata(field, "comment", comment), DEFAULT, value);
        return nullable === undefined ? described : { ...described, nullable };
      });
    }
    if (position !== undefined) {
      schema = editFields(schema, path.slice(0, -1), (fields) => {
        const own = fields.find(({ name }) => name === path.at(-1))!;
        return placed(fields, own, position);
      });
    }
    if (schemaToJson(schema) === schemaToJson(snapshot.schema)) return undefined;
    const isChecked = nullable === false && (await checkNeverNull(snapshot, schema, path, options.signal));
    const [changed] = fieldsAt(schema, path);
    const metadata = withSchema(snapshot, schema);
    if (typeof value === "string") await checkDefault({ protocol: snapshot.protocol, metadata, schema }, path[0]!);
    return {
      metadata,
      ...(isChecked && { reads: EVERY_ROW }),
      operation: "CHANGE COLUMN",
      operationParameters: {
        column: exactJson({ ...changed, name: columnText(path) }),
        ...(position && { position: position === "first" ? "FIRST" : `AFTER ${position.after}` }),
      },
    };
  });
}

/** Null takes the entry away. */
function withMetadata(field: StructField, key: string, value: string | null | undefined): StructField {
  if (value === undefined) return field;
  const { [key]: _, ...others } = field.metadata;
  return { ...field, metadata: value === null ? others : { ...others, [key]: value } };
}

function withType(snapshot: Snapshot, path: readonly string[], wanted: DataType): StructType {
  const { schema, protocol, metadata } = snapshot;
  const column = columnText(path);
  return editType(schema, path, (type) => {
    if (JSON.stringify(type) === JSON.stringify(wanted)) return type;
    const facts = { column, from: type, to: wanted };
    if (typeof type !== "string" || typeof wanted !== "string" || !isWidening(type, wanted)) {
      throw refused(`"${column}" can't become ${shown(wanted)}: not every ${shown(type)} is one`, facts);
    }
    if (!allowsWidening(protocol, metadata)) {
      throw refused(
        `"${column}" can't become ${wanted}: set the property delta.enableTypeWidening to true first; readers must know the feature typeWidening then`,
        facts,
      );
    }
    if (isIcebergCompatible(protocol, metadata) && !isIcebergWidening(type, wanted)) {
      throw refused(
        `"${column}" can't become ${wanted}: Iceberg, which the table is compatible with, lacks that`,
        facts,
      );
    }
    checkNoDependents(snapshot, path, "widen");
    if (Object.hasOwn(fieldsAt(schema, path)[0]?.metadata ?? {}, IDENTITY_STEP)) {
      throw new DeltaError(
        "DELTA_IDENTITY_COLUMNS_ALTER_COLUMN_NOT_SUPPORTED",
        `"${column}" is an identity column, which stays of type long.`,
        facts,
      );
    }
    return wanted;
  });
}

/** Throws `DELTA_NOT_NULL_CONSTRAINT_VIOLATED` where a row has null in a column that `changed` wants without. */
async function checkNeverNull(
  snapshot: Snapshot,
  changed: StructType,
  path: readonly string[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [name] = path;
  const field = changed.fields.find((own) => own.name === name)!;
  const one: StructType = { type: "struct", fields: [field] };
  const scan = new Scan(async () => rowsOf(snapshot), { columns: [name!], signal });
  let row = 0;
  for await (const batch of scan.batches()) {
    checkNotNull(batch, one, row);
    row += batch.numRows;
  }
  return true;
}

function fieldsAt(schema: StructType, path: readonly string[]): StructField[] {
  const found: StructField[] = [];
  let type: DataType = schema;
  for (const name of path) {
    if (typeof type === "string") break;
    if (type.type === "array") type = type.elementType;
    else if (type.type === "map") type = name === "key" ? type.keyType : type.valueType;
    else {
      const field: StructField | undefined = type.fields.find((own) => own.name === name);
      if (field === undefined) break;
      found.unshift(field);
      type = field.type;
    }
  }
  return found;
}

function shown(type: DataType): string {
  return typeof type === "string" ? type : type.type;
}

function refused(what: string, facts: Record<string, unknown>): DeltaError {
  return new DeltaError("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", `${what}.`, facts);
}
