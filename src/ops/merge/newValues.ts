import type { Data, RecordBatch } from "apache-arrow";
import { buildBatch } from "../../arrow/build.js";
import { concatValues } from "../../arrow/concatValues.js";
import { conformBatch } from "../../arrow/conform.js";
import type { StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import type { MergeJoin } from "../../sql/merge/join.js";
import type { SetTarget } from "../setTargets.js";
import type { PlannedClause } from "./plan.js";
import { RowQueue } from "./rowQueue.js";

/** New values of the rows that a clause is for, in their order. */
export class NewValues {
  readonly #clause: PlannedClause;
  readonly #computed: StructType;
  readonly #queue: RowQueue | undefined;

  constructor(clause: PlannedClause, index: number, join: MergeJoin) {
    this.#clause = clause;
    this.#computed = withVariantBytes({ type: "struct", fields: clause.values.map(({ field }) => field) });
    this.#queue = clause.values.length === 0 ? undefined : new RowQueue(this.#conformed(join.values(index)));
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
    if (this.#queue === undefined) return made;
    const parts = await this.#queue.take(count);
    for (const [i, { name }] of this.#computed.fields.entries()) {
      made.set(targets.get(name)!, concatValues(parts.map(({ data }) => data.children[i]!)));
    }
    return made;
  }

  async close(): Promise<void> {
    await this.#queue?.close();
  }

  async *#conformed(batches: AsyncGenerator<RecordBatch>): AsyncGenerator<RecordBatch> {
    for await (const batch of batches) yield conformBatch(batch, this.#computed);
  }
}
