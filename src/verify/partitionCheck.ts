import { hasCode } from "../errors.js";
import { parsePartitionValue } from "../schema/partition.js";
import type { DataType } from "../schema/types.js";
import type { Findings } from "./findings.js";
import type { TableShape } from "./tableShape.js";

/** Partition texts whose form is known to be right: most files share few. */
const KNOWN_TEXTS = 10_000;

/** Checks partition values: one of its type for each partition column, and no others. */
export class PartitionCheck {
  readonly #findings: Findings;
  #shape: TableShape | undefined;
  #columns: ReadonlyMap<string, DataType | undefined> = new Map();
  readonly #known = new Set<string>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Undefined where the table's metadata isn't known. */
  set shape(shape: TableShape | undefined) {
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#known.clear();
    const typeOf = (name: string) => shape?.schema?.fields.find((field) => field.name === name)?.type;
    this.#columns = new Map(shape?.partitionColumns.map((name) => [name, typeOf(name)]));
  }

  check(values: unknown, version: number, path: string): void {
    if (this.#shape === undefined) return;
    const given = typeof values === "object" && values !== null ? Object.entries(values) : [];
    const names = new Set(given.map(([name]) => name));
    const missing = [...this.#columns.keys()].filter((name) => !names.has(name));
    const extra = [...names].filter((name) => !this.#columns.has(name));
    if (missing.length > 0 || extra.length > 0) {
      const message = `The partition values of ${path} aren't of the table's partition columns.`;
      this.#findings.add("partition-values", message, { version, path }, { missing, extra });
    }
    for (const [column, value] of given) this.#checkValue(column, value, version, path);
  }

  #checkValue(column: string, value: unknown, version: number, path: string): void {
    const type = this.#columns.get(column);
    if (type === undefined || value === null || value === undefined || type === "string") return;
    const key = `${column}\n${value}`;
    if (this.#known.has(key)) return;
    if (typeof value === "string" && isOf(type, value)) {
      if (this.#known.size < KNOWN_TEXTS) this.#known.add(key);
      return;
    }
    const message = `The partition value ${JSON.stringify(value)} of ${path} is no ${JSON.stringify(type)}.`;
    this.#findings.add("partition-values", message, { version, path, column }, { value });
  }
}

function isOf(type: DataType, text: string): boolean {
  try {
    parsePartitionValue(type, text);
    return true;
  } catch (error) {
    if (hasCode(error, "DELTA_LOG_CORRUPT")) return false;
    throw error;
  }
}
