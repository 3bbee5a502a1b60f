import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { rowReader } from "../arrow/rows.js";
import { takeRows } from "../arrow/take.js";
import { type ColumnMappingMode, physicalName } from "../schema/columnMapping.js";
import { toLiteral } from "../schema/literalValue.js";
import { serializePartitionValue } from "../schema/partition.js";
import type { StructField, StructType } from "../schema/types.js";

/** One partition: its values as the log holds them, and a text that is the same for the same values. */
export interface PartitionKey {
  readonly key: string;
  readonly values: Readonly<Record<string, string | null>>;
}

/** Splits batches by partition. What comes out has no partition columns, which live in the log only, unless the table wants it. */
export class Partitioner {
  /** The columns that go into the files. */
  readonly dataSchema: StructType;
  readonly partitionFields: readonly StructField[];
  readonly #names: readonly string[];
  readonly #partitionSchema: StructType;

  /** With `keeps`, the partition columns stay in the files too, behind the others. */
  constructor(
    schema: StructType,
    partitionColumns: readonly string[],
    mode: ColumnMappingMode = "none",
    keeps = false,
  ) {
    const byName = new Map(schema.fields.map((field) => [field.name, field]));
    this.partitionFields = partitionColumns.map((name) => byName.get(name)!);
    this.#names = this.partitionFields.map((field) => physicalName(field, mode));
    this.#partitionSchema = { type: "struct", fields: this.partitionFields };
    const data = schema.fields.filter((f) => !partitionColumns.includes(f.name));
    this.dataSchema = { type: "struct", fields: keeps ? [...data, ...this.partitionFields] : data };
  }

  /** The batch's rows by partition, in the order the partitions first appear. */
  split(batch: RecordBatch): { readonly partition: PartitionKey; readonly rows: RecordBatch }[] {
    if (batch.numRows === 0) return [];
    const data = selectColumns(batch, this.dataSchema);
    if (this.partitionFields.length === 0) return [{ partition: { key: "", values: {} }, rows: data }];
    const groups = this.#groups(batch);
    if (groups.length === 1) return [{ partition: groups[0].partition, rows: data }];
    return groups.map(({ partition, rows }) => ({ partition, rows: takeRows(data, Uint32Array.from(rows)) }));
  }

  #groups(batch: RecordBatch): { partition: PartitionKey; rows: number[] }[] {
    const groups = new Map<string, { partition: PartitionKey; rows: number[] }>();
    const serialize = this.partitionFields.map((field) => serializer(field));
    const values = rowReader(this.#partitionSchema)(selectColumns(batch, this.#partitionSchema));
    for (let row = 0; row < values.length; row++) {
      const texts = this.partitionFields.map((field, i) => serialize[i](values[row][field.name]));
      const key = JSON.stringify(texts);
      let group = groups.get(key);
      if (group === undefined) {
        const entries = this.#names.map((name, i) => [name, texts[i]] as const);
        group = { partition: { key, values: Object.fromEntries(entries) }, rows: [] };
        groups.set(key, group);
      }
      group.rows.push(row);
    }
    return [...groups.values()];
  }
}

function serializer(field: StructField): (value: unknown) => string | null {
  return (value) =>
    serializePartitionValue(field.type, toLiteral(field.type, value, [field.name]), { column: field.name });
}

function selectColumns(batch: RecordBatch, schema: StructType): RecordBatch {
  const indices = schema.fields.map((field) => batch.schema.fields.findIndex((f) => f.name === field.name));
  const fields = indices.map((i) => batch.schema.fields[i]);
  const columns = indices.map((i) => batch.data.children[i]);
  return makeBatch(fields, columns, batch.numRows);
}
