import { statisticsColumns } from "../arrow/statisticsColumns.js";
import { physicalName } from "../schema/columnMapping.js";
import { parseDecimalType } from "../schema/decimal.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import type { Metadata, Protocol } from "./actions.js";
import type { FileLayout } from "./checkpointSchema.js";
import { featuresOf } from "./features.js";
import { property } from "./properties.js";
import type { Snapshot } from "./snapshot.js";

/** How a table's checkpoints tell of its files: by `delta.checkpoint.writeStatsAsJson` and `delta.checkpoint.writeStatsAsStruct`. */
export function fileLayout(snapshot: Snapshot): FileLayout {
  const { metadata, protocol } = snapshot;
  const known = layouts.get(metadata);
  if (known?.protocol === protocol) return known.layout;
  const layout = layoutOf(snapshot);
  layouts.set(metadata, { protocol, layout });
  return layout;
}

/** A version has its predecessor's metadata and protocol, unless it changes them. */
const layouts = new WeakMap<Metadata, { readonly protocol: Protocol; readonly layout: FileLayout }>();

function layoutOf(snapshot: Snapshot): FileLayout {
  const { metadata } = snapshot;
  const withStats = property(metadata, "delta.checkpoint.writeStatsAsJson");
  if (!property(metadata, "delta.checkpoint.writeStatsAsStruct")) {
    return { withStats };
  }
  return { withStats, statsParsed: statsType(snapshot), partitionValuesParsed: partitionType(snapshot) };
}

/** Statistics by the columns' physical names (PROTOCOL.md, Column Mapping). */
function statsType({ schema, metadata, protocol, columnMapping }: Snapshot): StructType {
  const listed = property(metadata, "delta.dataSkippingStatsColumns");
  const leaves = statisticsColumns(schema, metadata.partitionColumns, {
    numIndexedCols: property(metadata, "delta.dataSkippingNumIndexedCols"),
    ...(listed === undefined ? {} : { statsColumns: [listed] }),
  });
  const wanted = new Set(leaves.map((path) => path.join("\0")));
  const members = (typeOf: (type: DataType) => DataType | undefined) => {
    const pick = (fields: readonly StructField[], parent: readonly string[]): StructField[] =>
      fields.flatMap((field) => {
        const path = [...parent, field.name];
        const name = physicalName(field, columnMapping);
        if (typeof field.type !== "string" && field.type.type === "struct") {
          const inner = pick(field.type.fields, path);
          return inner.length === 0 ? [] : [optional(name, { type: "struct", fields: inner })];
        }
        const type = wanted.has(path.join("\0")) ? typeOf(field.type) : undefined;
        return type === undefined ? [] : [optional(name, type)];
      });
    return pick(schema.fields, []);
  };
  const bounds = members((type) => (hasBounds(type) ? type : undefined));
  const parts = { minValues: bounds, maxValues: bounds, nullCount: members(() => "long") };
  const hasVectors = featuresOf(protocol).some(({ name }) => name === "deletionVectors");
  return {
    type: "struct",
    fields: [
      optional("numRecords", "long"),
      // Parquet has no struct without fields.
      ...Object.entries(parts).flatMap(([name, fields]) =>
        fields.length === 0 ? [] : [optional(name, { type: "struct", fields })],
      ),
      ...(hasVectors ? [optional("tightBounds", "boolean")] : []),
    ],
  };
}

/** Whether statistics have a least and a greatest value of such a column. */
function hasBounds(type: DataType): boolean {
  return typeof type === "string" && (BOUND_TYPES.has(type) || parseDecimalType(type) !== undefined);
}

const BOUND_TYPES: ReadonlySet<string> = new Set([
  "string",
  "byte",
  "short",
  "integer",
  "long",
  "float",
  "double",
  "date",
  "timestamp",
  "timestamp_ntz",
]);

function partitionType({ schema, metadata, columnMapping }: Snapshot): StructType | undefined {
  const fields = metadata.partitionColumns.flatMap((column) => {
    const field = schema.fields.find(({ name }) => name === column);
    return field === undefined ? [] : [optional(physicalName(field, columnMapping), field.type)];
  });
  return fields.length === 0 ? undefined : { type: "struct", fields };
}

function optional(name: string, type: DataType): StructField {
  return { name, type, nullable: true, metadata: {} };
}
