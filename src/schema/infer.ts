import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import type { DataType, MapType, PrimitiveType, StructField, StructType } from "./types.js";

/**
 * Infers a schema from rows: number is double, bigint long, string, boolean, Date timestamp, Uint8Array binary, arrays,
 * objects struct, Map map. Everything is nullable, null and undefined say nothing, columns come in order of first
 * appearance. A mix of kinds in one column is an error, never a widening.
 *
 * With a `known` schema only the columns that it lacks, nested ones too, are inferred; they come behind its own.
 */
export class SchemaInference {
  readonly #root: StructShape;
  #rows = 0;

  constructor(known?: StructType) {
    this.#root = structShape(known);
  }

  /**
   * Takes a row into account; `rowNumber` (from 0) is for errors. Throws DELTA_CANNOT_INFER_SCHEMA where a value is of
   * another kind than in an earlier row, or of none that Delta has (naming column and rows), and
   * DELTA_INVALID_ARGUMENT for a row that is no object.
   */
  add(row: object, rowNumber: number): void {
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      const given = Array.isArray(row) ? "an array" : String(row);
      throw new DeltaError("DELTA_INVALID_ARGUMENT", `Row ${rowNumber} is no object with columns, but ${given}.`, {
        row: rowNumber,
      });
    }
    this.#rows++;
    addFields(this.#root, row as Record<string, unknown>, rowNumber, undefined);
  }

  /**
   * The schema of the rows so far. Throws DELTA_CANNOT_INFER_SCHEMA where there were no rows or no columns, or a
   * column was null or an empty array in all of them: then `schema` must be passed.
   */
  finish(): StructType {
    const unknown: string[] = [];
    const schema = structType(this.#root, [], unknown);
    if (schema.fields.length === 0) {
      const seen = this.#rows === 0 ? "There are no rows" : "The rows have no columns";
      throw cannotInfer(`${seen} to infer a schema from; pass one as \`schema\`.`, { columns: [] });
    }
    if (unknown.length > 0) {
      throw cannotInfer(
        `No row has a value that shows the type of ${unknown.map((name) => `"${name}"`).join(", ")}; pass \`schema\`.`,
        { columns: unknown },
      );
    }
    return schema;
  }
}

type Scalar = Extract<PrimitiveType, "double" | "long" | "string" | "boolean" | "timestamp" | "binary">;

interface StructShape {
  readonly kind: "struct";
  readonly known: StructType | undefined;
  /** Parallel to `nodes`, in order of first appearance. */
  readonly names: string[];
  readonly nodes: Node[];
  readonly byName: Map<string, Node>;
}

/** What is known of one column, element, key or value. */
interface Node {
  readonly name: string;
  readonly parent: Node | undefined;
  readonly depth: number;
  /** What it is whatever the rows show, but for what they add to its structs. */
  readonly known: DataType | undefined;
  /** `undefined` until a row has a value that isn't null. */
  kind: Scalar | "struct" | "array" | "map" | undefined;
  firstRow: number;
  struct: StructShape | undefined;
  element: Node | undefined;
  key: Node | undefined;
}

function addFields(
  shape: StructShape,
  row: Record<string, unknown>,
  rowNumber: number,
  parent: Node | undefined,
): void {
  const { names, nodes } = shape;
  let i = 0;
  for (const name in row) {
    // Rows mostly have the same keys in the same order, so the node is mostly the next one.
    const node = names[i] === name ? nodes[i]! : fieldNode(shape, row, name, parent);
    i++;
    if (node) addValue(node, row[name], rowNumber);
  }
}

function fieldNode(shape: StructShape, row: object, name: string, parent: Node | undefined): Node | undefined {
  if (!Object.hasOwn(row, name)) return undefined;
  let node = shape.byName.get(name);
  if (!node) {
    const known = knownField(shape.known, name);
    // In another case it is a mistake, not a new column: the row won't fit.
    if (known !== undefined && known.name !== name) return undefined;
    node = newNode(name, parent, known?.type);
    shape.byName.set(name, node);
    shape.names.push(name);
    shape.nodes.push(node);
  }
  return node;
}

function knownField(known: StructType | undefined, name: string): StructField | undefined {
  const exact = known?.fields.find((field) => field.name === name);
  return exact ?? known?.fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

function structShape(known: StructType | undefined): StructShape {
  return { kind: "struct", known, names: [], nodes: [], byName: new Map() };
}

function newNode(name: string, parent: Node | undefined, known: DataType | undefined): Node {
  return {
    name,
    parent,
    depth: (parent?.depth ?? 0) + 1,
    known,
    kind: undefined,
    firstRow: 0,
    struct: undefined,
    element: undefined,
    key: undefined,
  };
}

function addValue(node: Node, value: unknown, rowNumber: number): void {
  // A value of another kind than is known is for the writing of rows to refuse.
  if (node.known !== undefined && !isOfKind(value, node.known)) return;
  switch (typeof value) {
    case "number":
      if (node.kind !== "double") see(node, "double", rowNumber);
      return;
    case "string":
      if (node.kind !== "string") see(node, "string", rowNumber);
      return;
    case "bigint":
      if (node.kind !== "long") see(node, "long", rowNumber);
      return;
    case "boolean":
      if (node.kind !== "boolean") see(node, "boolean", rowNumber);
      return;
    case "undefined":
      return;
    case "object":
      if (value !== null) addObject(node, value, rowNumber);
      return;
    default:
      throw unsupported(node, `a ${typeof value}`, rowNumber);
  }
}

function addObject(node: Node, value: object, rowNumber: number): void {
  if (value instanceof Date) see(node, "timestamp", rowNumber);
  else if (value instanceof Uint8Array) see(node, "binary", rowNumber);
  else addNested(node, value, rowNumber);
}

function addNested(node: Node, value: object, rowNumber: number): void {
  const { MAX_SCHEMA_DEPTH } = limits;
  if (node.depth > MAX_SCHEMA_DEPTH) throw unsupported(node, `nested more than ${MAX_SCHEMA_DEPTH} deep`, rowNumber);
  if (Array.isArray(value)) {
    see(node, "array", rowNumber);
    node.element ??= newNode("element", node, elementType(node.known));
    for (const item of value) addValue(node.element, item, rowNumber);
  } else if (value instanceof Map) {
    see(node, "map", rowNumber);
    node.key ??= newNode("key", node, mapType(node.known)?.keyType);
    node.element ??= newNode("value", node, mapType(node.known)?.valueType);
    for (const [key, item] of value) {
      addValue(node.key, key, rowNumber);
      addValue(node.element, item, rowNumber);
    }
  } else {
    if (!isStruct(value)) throw unsupported(node, `a ${value.constructor?.name ?? "object"}`, rowNumber);
    see(node, "struct", rowNumber);
    node.struct ??= structShape(structOf(node.known));
    addFields(node.struct, value as Record<string, unknown>, rowNumber, node);
  }
}

/** Objects with columns of their own, whatever their class; not a Set, RegExp, Float64Array or the like. */
function isStruct(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return !ArrayBuffer.isView(value) && Object.keys(value).length > 0;
}

function see(node: Node, kind: NonNullable<Node["kind"]>, rowNumber: number): void {
  if (node.kind === kind) return;
  if (node.kind === undefined) {
    node.kind = kind;
    node.firstRow = rowNumber;
    return;
  }
  const column = pathOf(node).join(".");
  const mixed = [node.kind, kind].sort().join() === "double,long" ? " (a number is a double, a bigint a long)" : "";
  throw cannotInfer(
    `Column "${column}" is ${node.kind} in row ${node.firstRow} and ${kind} in row ${rowNumber}${mixed}; give all rows one kind of value, or pass \`schema\`.`,
    { column, rows: [node.firstRow, rowNumber], types: [node.kind, kind] },
  );
}

function pathOf(node: Node): string[] {
  return node.parent ? [...pathOf(node.parent), node.name] : [node.name];
}

function structType(shape: StructShape, path: readonly string[], unknown: string[]): StructType {
  const typeOf = (node: Node) => nodeType(node, [...path, node.name], unknown);
  const known = (shape.known?.fields ?? []).map((field) => {
    const node = shape.byName.get(field.name);
    return node === undefined ? field : { ...field, type: typeOf(node) };
  });
  const found = shape.nodes
    .filter((node) => node.known === undefined)
    .map((node): StructField => ({ name: node.name, type: typeOf(node), nullable: true, metadata: {} }));
  return { type: "struct", fields: [...known, ...found] };
}

function nodeType(node: Node, path: readonly string[], unknown: string[]): DataType {
  if (node.known !== undefined) return extended(node, node.known, path, unknown);
  switch (node.kind) {
    case undefined:
      unknown.push(path.join("."));
      return "string";
    case "struct":
      if (node.struct!.nodes.length === 0) unknown.push(path.join("."));
      return structType(node.struct!, path, unknown);
    case "array":
      return {
        type: "array",
        elementType: nodeType(node.element!, [...path, "element"], unknown),
        containsNull: true,
      };
    case "map":
      return {
        type: "map",
        keyType: nodeType(node.key!, [...path, "key"], unknown),
        valueType: nodeType(node.element!, [...path, "value"], unknown),
        valueContainsNull: true,
      };
    default:
      return node.kind;
  }
}

/** The known type with what the rows add to the structs in it. */
function extended(node: Node, known: DataType, path: readonly string[], unknown: string[]): DataType {
  if (typeof known === "string" || node.kind === undefined) return known;
  switch (known.type) {
    case "struct":
      return structType(node.struct!, path, unknown);
    case "array":
      return { ...known, elementType: nodeType(node.element!, [...path, "element"], unknown) };
    case "map":
      return { ...known, valueType: nodeType(node.element!, [...path, "value"], unknown) };
  }
}

/** True where a value of this type may hold structs with columns to infer. */
function isOfKind(value: unknown, type: DataType): boolean {
  if (typeof type === "string" || typeof value !== "object" || value === null) return false;
  switch (type.type) {
    case "struct":
      return !Array.isArray(value) && !(value instanceof Map) && !(value instanceof Date) && isStruct(value);
    case "array":
      return Array.isArray(value);
    case "map":
      return value instanceof Map;
  }
}

function structOf(type: DataType | undefined): StructType | undefined {
  return typeof type === "object" && type.type === "struct" ? type : undefined;
}

function mapType(type: DataType | undefined): MapType | undefined {
  return typeof type === "object" && type.type === "map" ? type : undefined;
}

function elementType(type: DataType | undefined): DataType | undefined {
  return typeof type === "object" && type.type === "array" ? type.elementType : undefined;
}

function unsupported(node: Node, what: string, rowNumber: number): DeltaError {
  const column = pathOf(node).slice(0, 8).join(".");
  return cannotInfer(`Column "${column}" is ${what} in row ${rowNumber}, which Delta has no type for.`, {
    column,
    rows: [rowNumber],
  });
}

function cannotInfer(message: string, data: Record<string, unknown>): DeltaError {
  return new DeltaError("DELTA_CANNOT_INFER_SCHEMA", message, data);
}
