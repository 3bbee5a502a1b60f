import { readFileSync } from "node:fs";
import type { RecordBatch } from "apache-arrow";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import type { BadRecord, Format, ParseOptions, RecordPosition, SourceShape } from "#src/load/format/format.js";
import type { SourceFile } from "#src/load/source/source.js";
import { readParquet } from "#src/parquet/read.js";
import type { StructType } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";

export interface Collected {
  readonly rows: Record<string, unknown>[];
  readonly bad: BadRecord[];
  /** How many records each slice said it has. */
  readonly counts: number[];
  readonly ends: RecordPosition[];
}

export interface CollectOptions {
  readonly schema: StructType;
  readonly shape: SourceShape;
  readonly parse?: ParseOptions;
  readonly sliceBytes?: number;
  readonly takesParquet?: boolean;
  /** Opens the file anew after each slice. */
  readonly reopens?: boolean;
}

/** Reads a whole file as a load does. */
export async function collect(format: Format, file: SourceFile, options: CollectOptions): Promise<Collected> {
  const { schema, shape, parse = {}, sliceBytes = 1024 * 1024, takesParquet = false, reopens = false } = options;
  const result: Collected = { rows: [], bad: [], counts: [], ends: [] };
  const toRows = rowReader(schema);
  const take = (batch: RecordBatch) => void result.rows.push(...toRows(batch));
  let reader = await format.open(file, undefined, shape, parse);
  try {
    for (;;) {
      const slice = await reader.next(sliceBytes);
      if (slice === undefined) return result;
      let taken = 0;
      await slice.parse({
        schema,
        takesParquet,
        filled: new Set(),
        async write(batch) {
          taken += batch.numRows;
          take(batch);
          return [];
        },
        async writeParquet(path, rowCount) {
          taken += rowCount;
          const store = memoryStore();
          const bytes = readFileSync(path);
          await store.put("x", bytes);
          for await (const batch of readParquet(store, { path: "x", sizeBytes: bytes.length })) {
            take(conformBatch(batch, schema));
          }
        },
        async reject(record) {
          taken++;
          result.bad.push(record);
        },
      });
      if (taken !== slice.recordCount) throw new Error(`${taken} of ${slice.recordCount} records came`);
      result.counts.push(slice.recordCount);
      result.ends.push(slice.end);
      if (reopens) {
        await reader[Symbol.asyncDispose]();
        reader = await format.open(file, JSON.parse(JSON.stringify(slice.end)), shape, parse);
      }
    }
  } finally {
    await reader[Symbol.asyncDispose]();
  }
}

/** A schema of nullable columns. */
export function schemaOf(columns: Readonly<Record<string, string>>, notNull: readonly string[] = []): StructType {
  return {
    type: "struct",
    fields: Object.entries(columns).map(([name, type]) => ({
      name,
      type: type as "string",
      nullable: !notNull.includes(name),
      metadata: {},
    })),
  };
}
