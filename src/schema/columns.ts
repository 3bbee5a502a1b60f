import type { DataType, StructField, StructType } from "./types.js";

/** A column of a schema: its path as the schema spells it, its type, and the field that the path ends in. */
export interface ResolvedColumn {
  readonly path: readonly string[];
  readonly type: DataType;
  readonly field: StructField;
}

/** The column at `path`, names compared exactly first and then regardless of case; `undefined` where there is none. */
export function resolveColumn(schema: StructType, path: readonly string[]): ResolvedColumn | undefined {
  let type: DataType = schema;
  const resolved: string[] = [];
  let field: StructField | undefined;
  for (const name of path) {
    if (typeof type === "string" || type.type !== "struct") return undefined;
    const wanted = name.toLowerCase();
    const fields: StructType["fields"] = type.fields;
    field = fields.find((f) => f.name === name) ?? fields.find((f) => f.name.toLowerCase() === wanted);
    if (!field) return undefined;
    resolved.push(field.name);
    type = field.type;
  }
  return field && { path: resolved, type, field };
}

/** A path as text for people and for error data: "address.city". */
export function columnText(path: readonly string[]): string {
  return path.join(".");
}

/** Every column that a condition can name, nested structs included, as text. */
export function columnNames(schema: StructType): string[] {
  return schema.fields.flatMap((field) => [
    field.name,
    ...(typeof field.type !== "string" && field.type.type === "struct"
      ? columnNames(field.type).map((name) => `${field.name}.${name}`)
      : []),
  ]);
}

/** Longer names aren't typed by hand. */
const MAX_TYPED_CHARS = 200;

/** The candidate that a mistyped `name` most likely means, `undefined` where none is near. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  if (name.length > MAX_TYPED_CHARS) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    // So many characters have to be added or taken away at least.
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
