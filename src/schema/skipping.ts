import { type ColumnMappingMode, physicalPath } from "./columnMapping.js";
import { resolveColumn } from "./columns.js";
import { columnBounds, type FileStatistics, parseStatistics } from "./fileStatistics.js";
import { type BoundsKind, boundsKind, heldBounds } from "./heldBounds.js";
import { bestCase, type ColumnFacts, type Leaf, negated } from "./leaf.js";
import { parsePartitionValue } from "./partition.js";
import type { OpaquePredicate, Predicate, Truth } from "./predicate.js";
import type { DataType, StructType } from "./types.js";

/** Whether no row of a file meets a predicate, every row does, or maybe some. */
export type FileMatch = "none" | "all" | "some";

/** What is asked of a file: its partition values as the log has them, and its `stats` as JSON text. */
export interface FileFacts {
  partitionValues(column: string): string | null;
  /** What a condition is for every row of the file; undefined where that isn't known. */
  truth?(test: OpaquePredicate): Truth | undefined;
  readonly stats: string | null;
  /** The same, of the columns that {@link askedFacts} names, where somebody has a quicker way to them than to parse `stats`. */
  statistics?(): FileStatistics | undefined;
}

interface FilterOptions {
  readonly timeZone?: string | undefined;
  readonly columnMapping?: ColumnMappingMode;
}

/**
 * Decides from partition values and statistics which files a predicate needs (PROTOCOL.md, Per-file Statistics).
 * "none" and "all" are certain; whatever is missing, malformed or beyond statistics is "some". Statistics are parsed
 * only when the partition values leave the question open. `timeZone` is that of zone-less timestamps among them; by
 * `columnMapping` both have physical names.
 * The returned function throws DELTA_LOG_CORRUPT for a partition value that is none of the column's type.
 */
export function fileFilter(
  predicate: Predicate,
  schema: StructType,
  partitionColumns: readonly string[],
  options: FilterOptions = {},
): (file: FileFacts) => FileMatch {
  const { timeZone, columnMapping = "none" } = options;
  const context = { schema, partitionColumns, timeZone, columnMapping };
  const condition = ruleOutNaN(normalize(predicate, false, context), new Set());
  return (file) => match(condition, new FileView(file));
}

/** What a predicate can ask of a file. */
export interface AskedFacts {
  readonly partitionValues: boolean;
  /** Paths of the columns whose statistics are asked for, by physical names. */
  readonly statistics: readonly (readonly string[])[];
}

/** What {@link fileFilter} can ask of a file for this predicate. */
export function askedFacts(
  predicate: Predicate,
  schema: StructType,
  partitionColumns: readonly string[],
  { timeZone, columnMapping = "none" }: FilterOptions = {},
): AskedFacts {
  const paths = new Map<string, readonly string[]>();
  let partitionValues = false;
  const visit = (condition: Condition): void => {
    if (condition.kind === "and" || condition.kind === "or") for (const term of condition.terms) visit(term);
    else if (condition.kind === "data") paths.set(condition.column.key, condition.column.path);
    else if (condition.kind === "partition") partitionValues = true;
    else if (condition.kind === "opaque") {
      if (condition.test.columns.some(([name]) => partitionColumns.includes(name!))) partitionValues = true;
      if (condition.implied !== undefined) visit(condition.implied);
    }
  };
  visit(normalize(predicate, false, { schema, partitionColumns, timeZone, columnMapping }));
  return { partitionValues, statistics: [...paths.values()] };
}

/** A predicate without NOT: negations are pushed down to the leaves, where three-valued logic makes them exact. */
type Condition =
  | { readonly kind: "and" | "or"; readonly terms: readonly Condition[] }
  | { readonly kind: "always" | "never" | "unknown" }
  | {
      readonly kind: "opaque";
      readonly test: OpaquePredicate;
      readonly not: boolean;
      readonly implied: Condition | undefined;
    }
  | { readonly kind: "partition"; readonly column: Column; readonly leaf: Leaf }
  /** `nanFails`: this test, or another term of the conjunction, rejects the rows that have NaN in this column. */
  | { readonly kind: "data"; readonly column: Column; readonly leaf: Leaf; readonly nanFails: boolean };

interface Column {
  /** By physical names. */
  readonly path: readonly string[];
  readonly key: string;
  readonly type: DataType;
  /** A null parent makes a nested column null, and not every writer counts those nulls. */
  readonly isNested: boolean;
  readonly timeZone: string | undefined;
  readonly bounds: BoundsKind;
}

interface Context {
  readonly schema: StructType;
  readonly partitionColumns: readonly string[];
  readonly timeZone: string | undefined;
  readonly columnMapping: ColumnMappingMode;
}

function normalize(predicate: Predicate, not: boolean, context: Context): Condition {
  switch (predicate.op) {
    case "not":
      return normalize(predicate.term, !not, context);
    case "and":
    case "or": {
      const terms = predicate.terms.map((term) => normalize(term, not, context)).sort((a, b) => cost(a) - cost(b));
      return { kind: (predicate.op === "and") !== not ? "and" : "or", terms };
    }
    case "constant":
      return { kind: predicate.value === !not ? "always" : "never" };
    case "opaque": {
      const implied = not || !predicate.implied ? undefined : normalize(predicate.implied, false, context);
      return { kind: "opaque", test: predicate, not, implied };
    }
    default:
      return normalizeLeaf(predicate, not, context);
  }
}

function normalizeLeaf(
  predicate: Exclude<Predicate, { op: "not" | "and" | "or" | "constant" | "opaque" }>,
  not: boolean,
  { schema, partitionColumns, timeZone, columnMapping }: Context,
): Condition {
  const resolved = resolveColumn(schema, predicate.column);
  if (!resolved) return { kind: "unknown" };
  const { type, field } = resolved;
  const path = physicalPath(schema, resolved.path, columnMapping);
  const isNested = path.length > 1;
  const column = { path, key: JSON.stringify(path), type, isNested, timeZone, bounds: boundsKind(field) };
  const leaf = not ? negated(predicate) : { test: predicate, not: false };
  if (partitionColumns.includes(resolved.path[0]!)) return { kind: "partition", column, leaf };
  return { kind: "data", column, leaf, nanFails: false };
}

/** Partition values first: they often settle the question before any statistics are parsed. */
function cost(condition: Condition): number {
  if (condition.kind === "data") return 2;
  if (condition.kind === "and" || condition.kind === "or") return Math.max(0, ...condition.terms.map(cost));
  return condition.kind === "unknown" || condition.kind === "opaque" ? 3 : 1;
}

/** Marks the tests of columns where a row with NaN fails the test, or some term of an enclosing conjunction, anyway. */
function ruleOutNaN(condition: Condition, failing: ReadonlySet<string>): Condition {
  if (condition.kind === "data") {
    return { ...condition, nanFails: failing.has(condition.column.key) || failsForNaN(condition.leaf) };
  }
  if (condition.kind === "opaque") {
    return { ...condition, implied: condition.implied && ruleOutNaN(condition.implied, failing) };
  }
  if (condition.kind !== "and" && condition.kind !== "or") return condition;
  const inner = new Set(failing);
  if (condition.kind === "and") {
    for (const term of condition.terms) {
      if (term.kind === "data" && failsForNaN(term.leaf)) inner.add(term.column.key);
    }
  }
  return { kind: condition.kind, terms: condition.terms.map((term) => ruleOutNaN(term, inner)) };
}

function failsForNaN({ test, not }: Leaf): boolean {
  if (not) return false;
  if (test.op === "in") return !test.values.some(Number.isNaN);
  if (test.op === "<") return true;
  return (test.op === "=" || test.op === "<=") && !Number.isNaN(test.value);
}

function match(condition: Condition, file: FileView): FileMatch {
  switch (condition.kind) {
    case "always":
      return "all";
    case "never":
      return "none";
    case "unknown":
      return "some";
    case "opaque": {
      const truth = file.truth(condition.test);
      if (truth !== undefined) return truth === (condition.not ? 0 : 1) ? "all" : "none";
      return condition.implied !== undefined && match(condition.implied, file) === "none" ? "none" : "some";
    }
    case "partition":
      return file.matchPartition(condition.column, condition.leaf);
    case "data":
      return file.matchData(condition.column, condition.leaf, condition.nanFails);
    case "and":
      return matchTerms(condition.terms, file, "none", "all");
    case "or":
      return matchTerms(condition.terms, file, "all", "none");
  }
}

function matchTerms(terms: readonly Condition[], file: FileView, decisive: FileMatch, neutral: FileMatch): FileMatch {
  let result = neutral;
  for (const term of terms) {
    const matched = match(term, file);
    if (matched === decisive) return decisive;
    if (matched === "some") result = "some";
  }
  return result;
}

/** One file, its statistics parsed on first use. */
class FileView {
  readonly #file: FileFacts;
  #statistics: FileStatistics | undefined | null = null;

  constructor(file: FileFacts) {
    this.#file = file;
  }

  truth(test: OpaquePredicate): Truth | undefined {
    return this.#file.truth?.(test);
  }

  matchPartition({ path, type, timeZone }: Column, leaf: Leaf): FileMatch {
    const column = path[0]!;
    const text = this.#file.partitionValues(column);
    const value = parsePartitionValue(type, text, timeZone === undefined ? { column } : { column, timeZone });
    const nulls = value === null ? "all" : "none";
    return outcome(leaf, {
      min: value ?? undefined,
      max: value ?? undefined,
      maxIsPrefix: false,
      nulls,
      hasNaN: false,
    });
  }

  matchData({ path, type, isNested, bounds }: Column, leaf: Leaf, nanFails: boolean): FileMatch {
    if (this.#statistics === null) {
      const file = this.#file;
      this.#statistics = file.statistics === undefined ? parseStatistics(file.stats) : file.statistics();
    }
    const statistics = this.#statistics;
    if (!statistics) return "some";
    if (statistics.numRecords === 0) return "none";
    const { min, max, maxIsPrefix, nullCount } = heldBounds(columnBounds(statistics, path, type), bounds);
    let nulls: ColumnFacts["nulls"] = "unknown";
    if (nullCount !== undefined && nullCount === statistics.numRecords) nulls = "all";
    else if (nullCount === 0 && !isNested) nulls = "none";
    // Many writers leave NaN out of their bounds; it may hide above the maximum.
    const hasNaN = type === "float" || type === "double";
    const certain = outcome(leaf, { min, max, maxIsPrefix, nulls, hasNaN });
    if (!hasNaN || !nanFails || certain !== "some") return certain;
    return outcome(leaf, { min, max, maxIsPrefix, nulls, hasNaN: false }) === "none" ? "none" : "some";
  }
}

function outcome(leaf: Leaf, facts: ColumnFacts): FileMatch {
  if (!bestCase(leaf, facts)) return "none";
  const isTotal = leaf.test.op === "isNull" || facts.nulls === "none";
  return isTotal && !bestCase({ test: leaf.test, not: !leaf.not }, facts) ? "all" : "some";
}
