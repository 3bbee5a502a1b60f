import type { SchemaElement } from "hyparquet";

/** A column, or a group of columns, of a Parquet file. */
export interface ParquetNode {
  readonly element: SchemaElement;
  /** The names from the root (which has none) to here, the groups of lists and maps included. */
  readonly path: readonly string[];
  readonly children: readonly ParquetNode[];
}

// Delta's own limit is far below; a file that nests deeper would only exhaust the stack.
const MAX_DEPTH = 200;

/** The tree of a footer's flat schema list. Throws a RangeError when the list doesn't make one tree. */
export function parquetTree(elements: readonly SchemaElement[]): ParquetNode {
  let next = 0;
  const build = (parentPath: readonly string[], depth: number): ParquetNode => {
    const element = elements[next++];
    if (element === undefined || depth > MAX_DEPTH) throw new RangeError("its schema is cut or nests too deep");
    if (typeof element.name !== "string") throw new RangeError("its schema has a column without a name");
    // Paths are compared as texts joined by it.
    if (element.name.includes("\0")) throw new RangeError("its schema has a column with a NUL in its name");
    checkNumbers(element);
    const path = depth === 0 ? [] : [...parentPath, element.name];
    const children: ParquetNode[] = [];
    if (isGroup(element)) {
      for (let i = 0; i < (element.num_children ?? 0); i++) children.push(build(path, depth + 1));
    }
    return { element, path, children };
  };
  const root = build([], 0);
  if (!isGroup(root.element) || next !== elements.length) throw new RangeError("its schema isn't one tree");
  return root;
}

const NUMBERS = ["type_length", "num_children", "scale", "precision", "field_id"] as const;
const LOGICAL_NUMBERS = ["scale", "precision", "bitWidth"] as const;
const LOGICAL_FLAGS = ["isAdjustedToUTC", "isSigned"] as const;

/** Thrift says of each value of what type it is: a damaged footer may have another one where a number should be. */
function checkNumbers(element: SchemaElement): void {
  const logical = (element.logical_type ?? {}) as Readonly<Record<string, unknown>>;
  const numbers = [...NUMBERS.map((name) => element[name]), ...LOGICAL_NUMBERS.map((name) => logical[name])];
  const flags = LOGICAL_FLAGS.map((name) => logical[name]);
  const isSound = numbers.every(isInt32) && flags.every((flag) => flag === undefined || typeof flag === "boolean");
  if (!isSound) throw new RangeError("its schema has something else where a number should be");
}

function isInt32(value: unknown): boolean {
  return value === undefined || (typeof value === "number" && (value | 0) === value);
}

/** True for a group: it has children and no values of its own. */
export function isGroup(element: SchemaElement): boolean {
  return element.type === undefined;
}

/** True for a group whose inner groups are levels of a list or a map. */
function isListOrMap({ element }: ParquetNode): boolean {
  return ["LIST", "MAP", "MAP_KEY_VALUE"].includes(element.logical_type?.type ?? element.converted_type ?? "");
}

/** The columns with values, in the order of a row group's chunks. */
export function leavesOf(node: ParquetNode): ParquetNode[] {
  return isGroup(node.element) ? node.children.flatMap(leavesOf) : [node];
}

/**
 * The tree with the wanted columns only, or undefined where the file has none of them.
 *
 * A path names a column or a whole subtree. A path into a list or a map brings all of it: with some of its columns
 * gone, the rules that tell old kinds of lists apart would see another list. Groups left without columns go too.
 */
export function pruneTree(root: ParquetNode, wanted: readonly (readonly string[])[]): ParquetNode | undefined {
  const isWanted = wanted.map((path) => ({ path, at: 0 }));
  return prune(root, isWanted);
}

function prune(node: ParquetNode, wanted: readonly { path: readonly string[]; at: number }[]): ParquetNode | undefined {
  if (wanted.some(({ path, at }) => path.length === at) || (wanted.length > 0 && isListOrMap(node))) {
    return leavesOf(node).length > 0 ? node : undefined;
  }
  const children = node.children.flatMap((child) => {
    const within = wanted.filter(({ path, at }) => path[at] === child.element.name);
    const kept = prune(
      child,
      within.map(({ path, at }) => ({ path, at: at + 1 })),
    );
    return kept === undefined ? [] : [kept];
  });
  return children.length > 0 ? { ...node, children } : undefined;
}
