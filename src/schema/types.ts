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
  | DecimalType;

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
