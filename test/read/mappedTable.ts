import { type DataType as ArrowType, Field, List, Map_, Struct } from "apache-arrow";
import { buildBatch } from "#src/arrow/build.js";
import { makeBatch } from "#src/arrow/column.js";
import { toArrowType } from "#src/arrow/schema.js";
import { Table } from "#src/index.js";
import type { Action, AddFile, Metadata, Protocol } from "#src/log/actions.js";
import { encodeParquet } from "#src/parquet/write.js";
import type { DataType, StructField, StructType } from "#src/schema/types.js";
import type { ObjectStore } from "#src/storage/store.js";
import { putCommit } from "../log/build.js";

/** A column of a mapped table: its name, its name in the log and in files, and its id. */
export function mapped(name: string, physical: string, id: number, type: DataType): StructField {
  const metadata = { "delta.columnMapping.id": id, "delta.columnMapping.physicalName": physical };
  return { name, type, nullable: true, metadata };
}

/** A column of a file: its id only where one is given. */
export function inFile(name: string, type: DataType, id?: number): StructField {
  return { name, type, nullable: true, metadata: id === undefined ? {} : { id } };
}

export const struct = (...fields: StructField[]): StructType => ({ type: "struct", fields });
export const array = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });
export const map = (keyType: DataType, valueType: DataType): DataType => {
  return { type: "map", keyType, valueType, valueContainsNull: true };
};

export const LEGACY: Protocol = { minReaderVersion: 2, minWriterVersion: 5 };
export const LISTED: Protocol = {
  minReaderVersion: 3,
  minWriterVersion: 7,
  readerFeatures: ["columnMapping", "deletionVectors"],
  writerFeatures: ["columnMapping", "deletionVectors"],
};

export function metaData(
  fields: readonly StructField[],
  mode: string,
  more: { readonly partitionColumns?: string[]; readonly configuration?: Record<string, string> } = {},
): { readonly metaData: Metadata } {
  const { partitionColumns = [], configuration = {} } = more;
  return {
    metaData: {
      id: "5fba94ed-9794-4965-ba6e-6ee3c0d22af9",
      format: { provider: "parquet", options: {} },
      schemaString: JSON.stringify(struct(...fields)),
      partitionColumns,
      configuration: { "delta.columnMapping.mode": mode, ...configuration },
      createdTime: 1,
    },
  };
}

/** Writes a Parquet file as another writer would, and gives its action. */
export async function putFile(
  store: ObjectStore,
  path: string,
  columns: readonly StructField[],
  rows: readonly object[],
  more: Partial<AddFile> & { readonly rowGroupRows?: number } = {},
): Promise<{ readonly add: AddFile }> {
  const { rowGroupRows, ...action } = more;
  const built = buildBatch(struct(...columns), rows, 0);
  const batch = makeBatch(columns.map(withId), built.data.children, rows.length);
  const { bytes } = await encodeParquet([batch], { rowGroupRows });
  await store.put(path, bytes);
  const add = { path, partitionValues: {}, size: bytes.length, modificationTime: 1000, dataChange: true, ...action };
  return { add };
}

function withId({ name, type, nullable, metadata }: StructField): Field {
  const ids = metadata.id === undefined ? undefined : new Map([["PARQUET:field_id", String(metadata.id)]]);
  return new Field(name, arrowType(type), nullable, ids);
}

function arrowType(type: DataType): ArrowType {
  if (typeof type === "string") return toArrowType(type);
  if (type.type === "struct") return new Struct(type.fields.map(withId));
  if (type.type === "array") return new List(new Field("element", arrowType(type.elementType), type.containsNull));
  const key = new Field("key", arrowType(type.keyType), false);
  const value = new Field("value", arrowType(type.valueType), type.valueContainsNull);
  return new Map_(new Field("entries", new Struct<{ key: ArrowType; value: ArrowType }>([key, value]), false));
}

/** A table whose versions are these actions. */
export async function tableOf(store: ObjectStore, ...versions: readonly (readonly Action[])[]): Promise<Table> {
  for (const [version, actions] of versions.entries()) await putCommit(store, version, ...actions);
  return Table.open(store);
}
