import { isDeepStrictEqual } from "node:util";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { Json } from "../load/progress.js";
import type { SchemaOption } from "../ops/schemaOption.js";
import type { StructType } from "../schema/types.js";
import type { NextBatch, OpenSource, SourceContext, StreamSource } from "./source.js";

/** How places in a source of one's own are told, and how many rows a batch has. */
export interface IterableStreamOptions<Row extends object> {
  /** The place of a row: reading after it gives the rows that follow. A JSON value, another one for each row. */
  readonly offsetOf: (row: Row) => Json;
  /** Rows of a batch at most; they are in memory together. Default 10,000. */
  readonly maxRowsPerTrigger?: number;
  /** The rows' schema; where nobody says, it is the table's they go to or, where they create it, inferred. */
  readonly schema?: SchemaOption;
}

/** Gives the rows after a place, from the beginning where it is undefined; the same ones in the same order at each call. */
export type ReadAfter<Row extends object> = (offset: Json | undefined) => Iterable<Row> | AsyncIterable<Row>;

const DEFAULT_MAX_ROWS = 10_000;

/** Rows of a source of one's own: a queue, a database, an interface on the web. */
export class IterableSource<Row extends object> implements StreamSource {
  readonly #readAfter: ReadAfter<Row>;
  readonly #options: IterableStreamOptions<Row>;

  constructor(readAfter: ReadAfter<Row>, options: IterableStreamOptions<Row>) {
    const { maxRowsPerTrigger: most = DEFAULT_MAX_ROWS } = options;
    if (!Number.isSafeInteger(most) || most <= 0) {
      throw new DeltaError("DELTA_INVALID_ARGUMENT", `maxRowsPerTrigger is a whole number from 1 up, not ${most}.`, {
        maxRowsPerTrigger: most,
      });
    }
    this.#readAfter = readAfter;
    this.#options = options;
  }

  async open({ unlimited }: SourceContext): Promise<OpenSource> {
    const { schemaFrom } = await loaded(() => import("../ops/schemaOption.js"), "delta-table/stream");
    const { schema } = this.#options;
    const known = schema === undefined ? undefined : schemaFrom(schema);
    return new OpenIterableSource(this.#readAfter, this.#options, known, unlimited);
  }
}

class OpenIterableSource<Row extends object> implements OpenSource {
  readonly schema: StructType | undefined;
  readonly #readAfter: ReadAfter<Row>;
  readonly #offsetOf: (row: Row) => Json;
  readonly #most: number;
  /** Rows that were read to find a batch's end. */
  #ahead: { readonly start: Json | undefined; readonly end: Json; readonly rows: readonly Row[] } | undefined;

  constructor(
    readAfter: ReadAfter<Row>,
    options: IterableStreamOptions<Row>,
    schema: StructType | undefined,
    unlimited: boolean,
  ) {
    this.#readAfter = readAfter;
    this.#offsetOf = options.offsetOf;
    this.#most = unlimited ? Number.POSITIVE_INFINITY : (options.maxRowsPerTrigger ?? DEFAULT_MAX_ROWS);
    this.schema = schema;
  }

  async next(start: Json | undefined): Promise<NextBatch | undefined> {
    const rows: Row[] = [];
    for await (const row of this.#readAfter(start)) {
      rows.push(row);
      if (rows.length >= this.#most) break;
    }
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    const end = this.#offsetOf(last);
    this.#ahead = { start, end, rows };
    return { end };
  }

  async *read(start: Json | undefined, end: Json): AsyncGenerator<readonly Row[]> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined && isDeepStrictEqual(ahead.start, start) && isDeepStrictEqual(ahead.end, end)) {
      yield ahead.rows;
      return;
    }
    let rows: Row[] = [];
    for await (const row of this.#readAfter(start)) {
      rows.push(row);
      if (isDeepStrictEqual(this.#offsetOf(row), end)) {
        yield rows;
        return;
      }
      if (rows.length < DEFAULT_MAX_ROWS) continue;
      yield rows;
      rows = [];
    }
    throw new DeltaError(
      "DELTA_STREAM_DATA_LOST",
      `The rows after ${JSON.stringify(start ?? null)} end without the one at ${JSON.stringify(end)}, up to which a batch was planned: the source has lost rows, or gives other ones now. Nothing of the batch was written.`,
      { start, end },
    );
  }
}
