import { type DataType, Field, FixedSizeList, List, Map_, Schema, Struct } from "apache-arrow";

/**
 * The schema with the inner names that Parquet prescribes: `element` in lists; `key_value`, `key` and `value` in maps
 * (parquet-format, LogicalTypes.md). The writer takes an inner field's name as it is, and other readers look for these.
 */
export function withParquetNames(schema: Schema): Schema {
  return new Schema(
    schema.fields.map((field) => renamed(field)),
    schema.metadata,
  );
}

function renamed(field: Field, name = field.name): Field {
  return new Field(name, parquetType(field.type), field.nullable, field.metadata);
}

/** The same type each time, by which a schema is known again. */
function parquetType(type: DataType): DataType {
  if (!(type.children?.length > 0)) return type;
  let result = types.get(type);
  if (result === undefined) {
    result = renamedType(type);
    types.set(type, result);
  }
  return result;
}

const types = new WeakMap<DataType, DataType>();

function renamedType(type: DataType): DataType {
  if (type instanceof Struct) return new Struct(type.children.map((child) => renamed(child)));
  if (type instanceof List) return new List(renamed(type.valueField, "element"));
  if (type instanceof FixedSizeList) return new FixedSizeList(type.listSize, renamed(type.children[0]!, "element"));
  if (type instanceof Map_) return renamedMap(type);
  return type;
}

function renamedMap(type: Map_): Map_ {
  const [keyField, valueField] = type.children[0]!.type.children as [Field, Field];
  const key = new Field("key", parquetType(keyField.type), false, keyField.metadata);
  const entries = new Struct<{ key: DataType; value: DataType }>([key, renamed(valueField, "value")]);
  const map = new Map_(new Field("entries", entries, false), type.keysSorted);
  // The constructor calls it `entries` whatever its name was.
  Object.assign(map.children[0]!, { name: "key_value" });
  return map;
}
