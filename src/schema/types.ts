/** A column's type, in the form of Delta's schema JSON (PROTOCOL.md, Schema Serialization Format). */
export type DataType = PrimitiveType | StructType | ArrayType | MapType;

/** A decimal has 1 to 38 digits (`p`), `s` of them behind the point. */
export type DecimalType = `decimal(${number},${number})`;

export type PrimitiveType =
  | "string"
  | "long"
  | "integer"
  | "short"
  | "byte"
  | "float"
  | "double"
  | "boolean"
  | "binary"
  | "date"
  | "timestamp"
  | "timestamp_ntz"
  | DecimalType
  | OpenType
  | ReadOnlyType;

/**
 * Types that say little of a column: `variant` holds any JSON value and more (PROTOCOL.md, Variant Data Type); a `void` column is in no
 * file and null in every row.
 */
export type OpenType = "variant" | "void";

/** Types that are only read: places and shapes as well-known binary (WKB). */
export type ReadOnlyType = GeoType;

/** `geometry(OGC:CRS84)`, `geography(OGC:CRS84, spherical)`: the coordinate reference system, and how edges run between points. */
export type GeoType = `geometry(${string})` | `geography(${string})`;

export interface StructType {
  readonly type: "struct";
  readonly fields: readonly StructField[];
}

export interface StructField {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface ArrayType {
  readonly type: "array";
  readonly elementType: DataType;
  readonly containsNull: boolean;
}

export interface MapType {
  readonly type: "map";
  readonly keyType: DataType;
  readonly valueType: DataType;
  readonly valueContainsNull: boolean;
}
