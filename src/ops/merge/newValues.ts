import type { Data, RecordBatch } from "apache-arrow";
import { buildBatch } from "../../arrow/build.js";
import { concatValues } from "../../arrow/concatValues.js";
import { conformBatch } from "../../arrow/conform.js";
import { sliceBatch } from "../../arrow/take.js";
import { DeltaError } from "../../errors.js";
import type { StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import type { MergeJoin } from "../../sql/merge/join.js";
import type { SetTarget } from "../setTargets.js";
import type { PlannedClause } from "./plan.js";

/** New values of the rows that a clause is for, in their order. */
export class NewValues {
  readonly #clause: PlannedClause;
  readonly #computed: StructType;
  readonly #batches: AsyncGenerator<RecordBatch> | undefined;
  #rest: RecordBatch | undefined;

  constructor(clause: PlannedClause, index: number, join: MergeJoin) {
    this.#clause = clause;
    this.#computed = withVariantBytes({ type: "struct", fields: clause.values.map(({ field }) => field) });
    this.#batches = clause.values.length === 0 ? undefined : join.values(index);
  }

  /** What the columns get in the next `count` rows. */
  async take(count: number): Promise<ReadonlyMap<SetTarget, Data>> {
    const made = new Map<SetTarget, Data>();
    const { targets } = this.#clause;
    const { schema, row } = this.#clause.constants;
    if (schema.fields.length > 0) {
      const { data } = buildBatch(schema, new Array<object>(count).fill(row), 0);
      for (const [i, { name }] of schema.fields.entries()) made.set(targets.get(name)!, data.children[i]!);
    }
    if (this.#batches === undefined) return made;
    const parts: RecordBatch[] = [];
    for (let missing = count; missing > 0; ) {
      const batch = this.#rest ?? (await this.#next(this.#batches));
      const taken = Math.min(missing, batch.numRows);
      parts.push(sliceBatch(batch, 0, taken));
      this.#rest = taken < batch.numRows ? sliceBatch(batch, taken, batch.numRows) : undefined;
      missing -= taken;
    }
    for (const [i, { name }] of this.#computed.fields.entries()) {
      made.set(targets.get(name)!, concatValues(parts.map(({ data }) => data.children[i]!)));
    }
    return made;
  }

  async close(): Promise<void> {
    await this.#batches?.return(undefined);
  }

  async #next(batches: AsyncGenerator<RecordBatch>): Promise<RecordBatch> {
    const next = await batches.next();
    if (!next.done) return conformBatch(next.value, this.#computed);
    throw new DeltaError("DELTA_INTERNAL", "DuckDB gave fewer values than rows.", {});
  }
}
