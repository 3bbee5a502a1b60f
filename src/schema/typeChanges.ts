import { isDecimalInRange, parseDecimalType } from "./decimal.js";
import type { DataType, StructField, StructType } from "./types.js";

/** The key of a field's metadata with the changes that its type went through (PROTOCOL.md, Type Change Metadata). */
export const TYPE_CHANGES = "delta.typeChanges";

/** For each type the ones that it may become, but for decimals (PROTOCOL.md, Type Widening). */
const WIDER: ReadonlyMap<string, readonly string[]> = new Map([
  ["byte", ["short", "integer", "long", "double"]],
  ["short", ["integer", "long", "double"]],
  ["integer", ["long", "double"]],
  ["float", ["double"]],
  ["date", ["timestamp_ntz"]],
]);

/** The digits before the point that a decimal needs which an integer may become. */
const WHOLE_DIGITS: ReadonlyMap<string, number> = new Map([
  ["byte", 10],
  ["short", 10],
  ["integer", 10],
  ["long", 20],
]);

/** True where a column of type `from` may become one of type `to`, rows written before included. */
export function isWidening(from: string, to: string): boolean {
  if (WIDER.get(from)?.includes(to)) return true;
  const target = parseDecimalType(to as DataType);
  if (target === undefined || !isDecimalInRange(target.precision, target.scale)) return false;
  const whole = target.precision - target.scale;
  const source = parseDecimalType(from as DataType);
  if (source === undefined) return whole >= (WHOLE_DIGITS.get(from) ?? Number.POSITIVE_INFINITY);
  return target.scale >= source.scale && whole >= source.precision - source.scale;
}

const INTEGERS: ReadonlySet<string> = new Set(["byte", "short", "integer", "long"]);

/** True for the widenings that rows with the wider type may bring about unasked: those that stay within a family of types. */
export function isEvolution(from: string, to: string): boolean {
  if (!isWidening(from, to)) return false;
  return !INTEGERS.has(from) || INTEGERS.has(to);
}

/** True for the widenings that Iceberg has too (Iceberg's specification, Schema Evolution). */
export function isIcebergWidening(from: string, to: string): boolean {
  if (INTEGERS.has(from)) return INTEGERS.has(to);
  const [source, target] = [parseDecimalType(from as DataType), parseDecimalType(to as DataType)];
  return from === "float" || (source !== undefined && source.scale === target?.scale);
}

/** A change of a type that a field's metadata tells of. */
interface TypeChange {
  readonly fromType: string;
  readonly toType: string;
  readonly fieldPath?: string;
}

/**
 * The schema `after`, whose columns say in their metadata how their types differ from those in `before`, an older schema of the
 * same table (PROTOCOL.md, Type Change Metadata). The same object where no type does.
 */
export function recordTypeChanges(before: StructType, after: StructType): StructType {
  const older = new Map(before.fields.map((field) => [field.name, field]));
  const fields = after.fields.map((field) => {
    const was = older.get(field.name);
    return was === undefined || was === field ? field : recordedField(was, field);
  });
  return fields.every((field, i) => field === after.fields[i]) ? after : { ...after, fields };
}

/** As {@link recordTypeChanges}, of one column. */
function recordedField(was: StructField, field: StructField): StructField {
  const changes: TypeChange[] = [];
  const type = recordedType(was.type, field.type, [], changes);
  if (changes.length === 0) return type === field.type ? field : { ...field, type };
  const known = field.metadata[TYPE_CHANGES];
  const metadata = { ...field.metadata, [TYPE_CHANGES]: [...(Array.isArray(known) ? known : []), ...changes] };
  return { ...field, type, metadata };
}

function recordedType(was: DataType, type: DataType, path: readonly string[], changes: TypeChange[]): DataType {
  if (was === type) return type;
  if (typeof was === "string" && typeof type === "string") {
    // No file holds values of type void.
    if (was === "void") return type;
    const fieldPath = path.length === 0 ? {} : { fieldPath: path.join(".") };
    changes.push({ fromType: was, toType: type, ...fieldPath });
    return type;
  }
  if (typeof was === "string" || typeof type === "string") return type;
  if (was.type === "struct" && type.type === "struct") return recordTypeChanges(was, type);
  if (was.type === "array" && type.type === "array") {
    const elementType = recordedType(was.elementType, type.elementType, [...path, "element"], changes);
    return elementType === type.elementType ? type : { ...type, elementType };
  }
  if (was.type === "map" && type.type === "map") {
    const keyType = recordedType(was.keyType, type.keyType, [...path, "key"], changes);
    const valueType = recordedType(was.valueType, type.valueType, [...path, "value"], changes);
    return keyType === type.keyType && valueType === type.valueType ? type : { ...type, keyType, valueType };
  }
  return type;
}

/** Every change of a type that a schema's columns tell of, nested ones too. */
export function typeChangesOf(type: DataType): readonly { readonly from: string; readonly to: string }[] {
  if (typeof type === "string") return [];
  if (type.type === "array") return typeChangesOf(type.elementType);
  if (type.type === "map") return [...typeChangesOf(type.keyType), ...typeChangesOf(type.valueType)];
  return type.fields.flatMap((field) => {
    const known = field.metadata[TYPE_CHANGES];
    const own = (Array.isArray(known) ? (known as TypeChange[]) : []).map(({ fromType, toType }) => {
      return { from: String(plainText(fromType)), to: String(plainText(toType)) };
    });
    return [...own, ...typeChangesOf(field.type)];
  });
}

/** The paths of `element`, `key` and `value` within a field whose types its metadata says to have changed; empty for its own. */
export function changedPaths({ metadata }: StructField): readonly (readonly string[])[] {
  const known = metadata[TYPE_CHANGES];
  const paths = (Array.isArray(known) ? (known as TypeChange[]) : []).map(({ fieldPath = "" }) => fieldPath);
  return [...new Set(paths)].map((path) => (path === "" ? [] : path.split(".")));
}

/** The fields whose metadata tells of changes, nested ones too, with their paths. */
export function changedFields(
  type: DataType,
  path: readonly string[] = [],
): readonly { readonly path: readonly string[]; readonly field: StructField }[] {
  if (typeof type === "string") return [];
  if (type.type === "array") return changedFields(type.elementType, [...path, "element"]);
  if (type.type === "map") {
    return [...changedFields(type.keyType, [...path, "key"]), ...changedFields(type.valueType, [...path, "value"])];
  }
  return type.fields.flatMap((field) => {
    const at = [...path, field.name];
    const below = changedFields(field.type, at);
    return Object.hasOwn(field.metadata, TYPE_CHANGES) ? [{ path: at, field }, ...below] : below;
  });
}

/** The schema without what tells of changes. */
export function withoutTypeChanges(schema: StructType): StructType {
  return withoutChanges(schema) as StructType;
}

function withoutChanges(type: DataType): DataType {
  if (typeof type === "string") return type;
  if (type.type === "array") return { ...type, elementType: withoutChanges(type.elementType) };
  if (type.type === "map") {
    return { ...type, keyType: withoutChanges(type.keyType), valueType: withoutChanges(type.valueType) };
  }
  const fields = type.fields.map((field): StructField => {
    const { [TYPE_CHANGES]: _, ...metadata } = field.metadata;
    return { ...field, type: withoutChanges(field.type), metadata };
  });
  return { ...type, fields };
}

/**
 * The first change, of those that a field's metadata lists, which isn't one of the protocol's: then what older files hold can't be
 * read as the type. `undefined` where there is none.
 */
export function firstUnknownChange(changes: unknown): { readonly from: unknown; readonly to: unknown } | undefined {
  if (changes === undefined) return undefined;
  for (const change of Array.isArray(changes) ? changes : [changes]) {
    const { fromType, toType } = (change ?? {}) as Record<string, unknown>;
    const isKnown = typeof fromType === "string" && typeof toType === "string" && isWidening(fromType, toType);
    if (!isKnown) return { from: fromType, to: toType };
  }
  return undefined;
}

/** True where the field itself was once a float and is a double now. */
export function wasFloat({ metadata }: StructField): boolean {
  const changes = metadata[TYPE_CHANGES];
  return (
    Array.isArray(changes) && changes.some(({ fromType, fieldPath }) => fromType === "float" && fieldPath === undefined)
  );
}

/**
 * An older schema of a table with the types that its columns have in `table`, a newer one, where that records that they were
 * widened: in them, older values can be read.
 */
export function asWidened(older: StructType, table: StructType): StructType {
  const newer = new Map(table.fields.map((field) => [field.name, field]));
  const fields = older.fields.map((field) => {
    const now = newer.get(field.name);
    return now === undefined
      ? field
      : { ...field, type: widenedType(field.type, now.type, now.metadata[TYPE_CHANGES]) };
  });
  return { type: "struct", fields };
}

/** `path` leads from the field whose metadata has the changes to the type within it. */
function widenedType(older: DataType, newer: DataType, changes: unknown, path: readonly string[] = []): DataType {
  const inside = (part: string, from: DataType, to: DataType) => widenedType(from, to, changes, [...path, part]);
  if (typeof older === "string" || typeof newer === "string") {
    return Array.isArray(changes) && changes.some((change) => isFrom(older, path, change)) ? newer : older;
  }
  if (older.type === "struct" && newer.type === "struct") return asWidened(older, newer);
  if (older.type === "array" && newer.type === "array") {
    return { ...older, elementType: inside("element", older.elementType, newer.elementType) };
  }
  if (older.type === "map" && newer.type === "map") {
    const keyType = inside("key", older.keyType, newer.keyType);
    return { ...older, keyType, valueType: inside("value", older.valueType, newer.valueType) };
  }
  return older;
}

function isFrom(type: DataType, path: readonly string[], change: Record<string, unknown> | null): boolean {
  const { fromType, fieldPath = "" } = change ?? {};
  return fieldPath === path.join(".") && plainText(fromType) === type;
}

/** As schemas here spell it: others may write blanks into decimals. */
function plainText(type: unknown): unknown {
  return typeof type === "string" ? type.replaceAll(" ", "") : type;
}
