import type { RecordBatch } from "apache-arrow";
import type { DeletionVectorDescriptor } from "../actions.js";

/** Reads the `deletionVector` column of a batch that `fileBatches` gave, a row at a time; most batches have none. */
export function descriptorReader(batch: RecordBatch): (row: number) => DeletionVectorDescriptor | undefined {
  const column = batch.getChild("deletionVector");
  if (column === null || column.nullCount === column.length) return () => undefined;
  return (row) => {
    const value: Readonly<Record<string, unknown>> | null = column.get(row)?.toJSON() ?? null;
    if (value === null) return undefined;
    const { storageType, pathOrInlineDv, offset } = value;
    return {
      storageType: String(storageType),
      pathOrInlineDv: String(pathOrInlineDv),
      ...(offset === null ? {} : { offset: Number(offset) }),
      sizeInBytes: numberOf(value.sizeInBytes),
      cardinality: numberOf(value.cardinality),
    };
  };
}

/** A required number that isn't there is none that a vector can have. */
function numberOf(value: unknown): number {
  return value === null ? Number.NaN : Number(value);
}
