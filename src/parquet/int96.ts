import type { DataType } from "apache-arrow";
import { Field, List, Map_, Null, Schema, Struct, Table, Timestamp, TimeUnit, tableToIPC } from "apache-arrow";
import { isGroup, leavesOf, type ParquetNode } from "./fileSchema.js";

/**
 * The value of `ARROW:schema` with which INT96 columns are read as microseconds, or undefined where there are none.
 *
 * Without it they become nanoseconds in 64 bits, which wrap around outside of the years 1677 to 2262. INT96 is an
 * instant, hence UTC. The shape has to match the file's, but a type that the reader can't use is passed over: `Null`
 * stands for every column that is no INT96.
 */
export function int96Hint(root: ParquetNode): string | undefined {
  if (!leavesOf(root).some(({ element }) => element.type === "INT96")) return undefined;
  const ipc = tableToIPC(new Table(new Schema(root.children.map(fieldOf))), "stream");
  return Buffer.from(ipc.buffer, ipc.byteOffset, ipc.byteLength).toString("base64");
}

function fieldOf(node: ParquetNode): Field {
  const type = typeOf(node);
  const repeated = node.element.repetition_type === "REPEATED";
  const { name, field_id: id } = node.element;
  // A field of the hint takes the place of the file's own, its id included.
  const metadata = id === undefined ? undefined : new Map([["PARQUET:field_id", String(id)]]);
  return new Field(name, repeated ? new List(new Field(name, type, true)) : type, true, metadata);
}

function typeOf(node: ParquetNode): DataType {
  const { element, children } = node;
  if (!isGroup(element)) return element.type === "INT96" ? new Timestamp(TimeUnit.MICROSECOND, "UTC") : new Null();
  const kind = element.logical_type?.type ?? element.converted_type;
  const [inner] = children;
  if (inner !== undefined && kind === "LIST") return new List(elementOf(inner));
  if (inner !== undefined && (kind === "MAP" || kind === "MAP_KEY_VALUE")) {
    const fields = inner.children.map(fieldOf) as [Field, Field];
    return new Map_(new Field(inner.element.name, new Struct<{ key: DataType; value: DataType }>(fields), false));
  }
  return new Struct(children.map(fieldOf));
}

/**
 * The element of a list: below the repeated group in the three-level form, the repeated node itself in the older
 * two-level forms (parquet-format, LogicalTypes.md, Lists, Backward-compatibility rules).
 */
function elementOf(repeated: ParquetNode): Field {
  const [only] = repeated.children;
  const { name } = repeated.element;
  const isElement = only === undefined || repeated.children.length > 1 || name === "array" || name.endsWith("_tuple");
  return isElement ? new Field(name, typeOf(repeated), true) : fieldOf(only);
}
