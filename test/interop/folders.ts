import type { Canonical, Content } from "./canonical.js";

/**
 * What DuckDB makes of a table: it takes partition columns from the folders' names, where it leaves a column's name
 * escaped, gives every value as text, and takes the text "null" for null.
 */
export function fromFolders({ types, rows }: Content, expected: Content, partitions: readonly string[]): Content {
  const unescaped = <T>(columns: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(columns).map(([name, value]) => [decodeURIComponent(name), value]));
  if (partitions.length === 0) return { types, rows };
  return {
    types: { ...unescaped(types), ...Object.fromEntries(partitions.map((name) => [name, expected.types[name]!])) },
    rows: rows.map((row) => {
      const columns = unescaped(row);
      for (const name of partitions) columns[name] = fromText(columns[name] ?? null, expected.types[name]!);
      return columns;
    }),
  };
}

/** What is expected of DuckDB. */
export function withoutNullTexts({ types, rows }: Content, partitions: readonly string[]): Content {
  const value = (name: string, value: Canonical) =>
    partitions.includes(name) && value === "string:null" ? null : value;
  return {
    types,
    rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, item]) => [name, value(name, item)]))),
  };
}

function fromText(value: Canonical, type: string): Canonical {
  if (typeof value !== "string") return value;
  const text = value.slice("string:".length);
  if (type === "string") return value;
  if (type === "boolean") return text === "true";
  if (type === "float" || type === "double") return Number(text);
  if (type === "date") return `date:${text}`;
  if (type.startsWith("decimal")) return `decimal:${text}`;
  if (!type.startsWith("timestamp")) return `int:${text}`;
  const [, day, time, fraction = ""] = /^(.{10})[T ](.{8})(?:\.(\d+))?Z?$/.exec(text) ?? [];
  return `${type === "timestamp" ? "timestamp" : "ntz"}:${day}T${time}.${fraction.padEnd(6, "0")}`;
}
