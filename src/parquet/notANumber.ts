import type { Data, RecordBatch } from "apache-arrow";

/**
 * The top-level columns whose bounds hold for all of their values, where some column has a NaN; undefined where none has. The encoder
 * leaves NaN out of bounds, and to Spark it is the greatest of all: by such bounds it would pass over rows. Nested columns
 * aren't among them, since the encoder takes their properties as one.
 */
export function boundedColumns(batches: readonly RecordBatch[]): string[] | undefined {
  const [first] = batches;
  if (first === undefined) return undefined;
  const { fields } = first.schema;
  const isBounded = fields.map((_, index) => !batches.some(({ data }) => hasNaN(data.children[index]!)));
  if (!isBounded.includes(false)) return undefined;
  return fields.flatMap(({ name, type }, index) =>
    isBounded[index] && (type.children ?? []).length === 0 ? [name] : [],
  );
}

/** Values under nulls may count. */
function hasNaN({ values, children }: Data): boolean {
  if (values instanceof Float64Array || values instanceof Float32Array) {
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
    return false;
  }
  return children.some(hasNaN);
}
