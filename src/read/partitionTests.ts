import { makeBatch } from "../arrow/column.js";
import { concatValues } from "../arrow/concatValues.js";
import { constantVector } from "../arrow/constant.js";
import { toArrowSchema } from "../arrow/schema.js";
import type { Snapshot } from "../log/snapshot.js";
import { physicalName } from "../schema/columnMapping.js";
import { parsePartitionValue } from "../schema/partition.js";
import type { OpaquePredicate, Predicate, Truth } from "../schema/predicate.js";
import type { StructField } from "../schema/types.js";

type Values = ReadonlyMap<string, string | null>;

/**
 * SQL conditions on partition columns alone (`upper(city) = 'ROME'`): they are the same for every row of a file, so that each is
 * evaluated once for each combination of values, before any file is read.
 */
export class PartitionTests {
  readonly #tests: readonly OpaquePredicate[];
  readonly #fields: readonly StructField[];
  readonly #physicalNames: readonly string[];
  readonly #timeZone: string | undefined;
  readonly #known = new Map<string, readonly (Truth | undefined)[]>();

  private constructor(tests: readonly OpaquePredicate[], snapshot: Snapshot, timeZone: string | undefined) {
    const named = new Set(tests.flatMap(({ columns }) => columns.map(([name]) => name!)));
    this.#tests = tests;
    this.#fields = snapshot.schema.fields.filter(({ name }) => named.has(name));
    this.#physicalNames = this.#fields.map((field) => physicalName(field, snapshot.columnMapping));
    this.#timeZone = timeZone;
  }

  /** Undefined where the predicate has none. */
  static of(predicate: Predicate, snapshot: Snapshot, timeZone: string | undefined): PartitionTests | undefined {
    const partitions = new Set(snapshot.metadata.partitionColumns);
    if (partitions.size === 0) return undefined;
    const tests = opaqueTerms(predicate).filter(
      ({ columns, isVolatile = false }) =>
        !isVolatile && columns.length > 0 && columns.every(([name]) => partitions.has(name!)),
    );
    return tests.length === 0 ? undefined : new PartitionTests(tests, snapshot, timeZone);
  }

  /** Evaluates what {@link truthOf} is going to be asked. Throws `DELTA_LOG_CORRUPT` for a value that is none of its column's type. */
  async evaluate(files: readonly Values[]): Promise<void> {
    const found = new Map<string, Values>();
    for (const values of files) {
      const key = this.#keyOf(values);
      if (!this.#known.has(key)) found.set(key, values);
    }
    if (found.size === 0) return;
    const columns = this.#fields.map(({ name, type }, index) => {
      const options = { column: name, timeZone: this.#timeZone };
      const parts = [...found.values()].map((values) => {
        const text = values.get(this.#physicalNames[index]!) ?? null;
        return constantVector(type, parsePartitionValue(type, text, options), 1);
      });
      return concatValues(parts);
    });
    const { fields } = toArrowSchema({ type: "struct", fields: this.#fields });
    const batch = makeBatch(fields, columns, found.size);
    const truths: (Uint8Array | undefined)[] = [];
    // One that fails for some value may never be asked about rows that have it: the rows' own turn tells.
    for (const test of this.#tests) truths.push(await test.evaluate(batch).catch(() => undefined));
    let row = 0;
    for (const key of found.keys()) {
      const at = row++;
      this.#known.set(
        key,
        truths.map((truth) => truth?.[at] as Truth | undefined),
      );
    }
  }

  truthOf(values: Values): (test: OpaquePredicate) => Truth | undefined {
    const truths = this.#known.get(this.#keyOf(values));
    return (test) => {
      const index = this.#tests.indexOf(test);
      return index < 0 ? undefined : truths?.[index];
    };
  }

  #keyOf(values: Values): string {
    return JSON.stringify(this.#physicalNames.map((name) => values.get(name) ?? null));
  }
}

function opaqueTerms(predicate: Predicate): OpaquePredicate[] {
  switch (predicate.op) {
    case "and":
    case "or":
      return predicate.terms.flatMap(opaqueTerms);
    case "not":
      return opaqueTerms(predicate.term);
    case "opaque":
      return [predicate, ...(predicate.implied === undefined ? [] : opaqueTerms(predicate.implied))];
    default:
      return [];
  }
}
