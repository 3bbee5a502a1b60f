import type { Schema } from "apache-arrow";
import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { columnText } from "../../schema/columns.js";
import { type ColumnPosition, editFields, indexOf, placed, spelledPath } from "../../schema/editSchema.js";
import type { SchemaLiteral, TypeLiteral } from "../../schema/literal.js";
import type { DataType, StructField, StructType } from "../../schema/types.js";
import { type SchemaOption, schemaFrom } from "../schemaOption.js";
import { type AlterOptions, type AlterResult, alterTable, withSchema } from "./alterTable.js";
import { type ColumnPath, columnPath } from "./columnPath.js";
import { fieldFrom } from "./columnType.js";

/** A column to be added. */
export interface AddedColumn {
  /** Its name; behind that of a struct for a column in it. */
  readonly path: ColumnPath;
  readonly type: TypeLiteral | DataType;
  readonly comment?: string;
  /** Among its siblings; last where it's left out. */
  readonly position?: ColumnPosition;
}

/** Columns by name and type, or one by one. */
export type AddedColumns = SchemaLiteral | StructType | Schema | readonly AddedColumn[];

interface Addition {
  readonly parent: readonly string[];
  readonly field: StructField;
  readonly position: ColumnPosition | undefined;
}

/** Implements `TableAlter.addColumns`; see there. */
export function addColumns(log: DeltaLog, columns: AddedColumns, options: AlterOptions): Promise<AlterResult> {
  const additions = additionsOf(columns);
  return alterTable(log, options, (snapshot) => {
    if (additions.length === 0) return undefined;
    let { schema } = snapshot;
    for (const { parent, field, position } of additions) {
      schema = editFields(schema, spelledPath(schema, parent), (fields) => {
        if (indexOf(fields, field.name) >= 0) throw taken([...parent, field.name]);
        return placed(fields, field, position);
      });
    }
    return {
      metadata: withSchema(snapshot, schema),
      operation: "ADD COLUMNS",
      operationParameters: {
        columns: JSON.stringify(
          additions.map(({ parent, field, position }) => ({
            column: { ...field, name: columnText([...parent, field.name]) },
            ...(position && { position: position === "first" ? "FIRST" : `AFTER ${position.after}` }),
          })),
        ),
      },
    };
  });
}

function additionsOf(columns: AddedColumns): Addition[] {
  if (!Array.isArray(columns)) {
    return schemaFrom(columns as SchemaOption).fields.map((field) => addition([], field, undefined));
  }
  return (columns as readonly AddedColumn[]).map(({ path, type, comment, position }) => {
    const names = columnPath(path);
    const field = fieldFrom(names.at(-1)!, type);
    const metadata = comment === undefined ? {} : { comment };
    return addition(names.slice(0, -1), { ...field, metadata }, position);
  });
}

function addition(parent: readonly string[], field: StructField, position: ColumnPosition | undefined): Addition {
  if (field.nullable) return { parent, field, position };
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `The column "${columnText([...parent, field.name])}" can't be added as not null: it is null in the rows that are there. Add it nullable, fill it, and change it then.`,
    { column: columnText([...parent, field.name]) },
  );
}

function taken(path: readonly string[]): DeltaError {
  const column = columnText(path);
  return new DeltaError("DELTA_DUPLICATE_COLUMNS_FOUND", `The table has a column "${column}" already.`, { column });
}
