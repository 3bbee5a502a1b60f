import { isEvolution } from "./typeChanges.js";
import type { DataType, StructField, StructType } from "./types.js";

/**
 * The table's schema with the columns, nested ones too, that only `given` has: nullable, behind the table's own. What both have
 * stays as the table has it, also where the types differ or the names differ in case; whether data fits is for
 * `checkAssignable` to say; but what is void becomes what `given` has. With `widens`, types become those of `given` where these are wider ones of the same family. The table's own
 * schema, the same object, where there is nothing to add.
 */
export function mergeSchemas(table: StructType, given: StructType, widens = false): StructType {
  return mergeStructs(table, given, widens);
}

function mergeStructs(table: StructType, given: StructType, widens: boolean): StructType {
  const names = new Set(table.fields.map(({ name }) => name.toLowerCase()));
  const added = given.fields
    .filter(({ name }) => !names.has(name.toLowerCase()))
    .map((field): StructField => ({ ...field, nullable: true }));
  let isSame = added.length === 0;
  const kept = table.fields.map((field) => {
    const other = given.fields.find(({ name }) => name === field.name);
    const type = other === undefined ? field.type : mergeTypes(field.type, other.type, widens);
    if (type === field.type) return field;
    isSame = false;
    return { ...field, type };
  });
  return isSame ? table : { ...table, fields: [...kept, ...added] };
}

function mergeTypes(table: DataType, given: DataType, widens: boolean): DataType {
  if (typeof table === "string" || typeof given === "string") {
    if (table === "void") return given;
    const isWider = widens && typeof table === "string" && typeof given === "string" && isEvolution(table, given);
    return isWider ? given : table;
  }
  if (table.type === "struct" && given.type === "struct") return mergeStructs(table, given, widens);
  if (table.type === "array" && given.type === "array") {
    const elementType = mergeTypes(table.elementType, given.elementType, widens);
    return elementType === table.elementType ? table : { ...table, elementType };
  }
  if (table.type === "map" && given.type === "map") {
    const valueType = mergeTypes(table.valueType, given.valueType, widens);
    return valueType === table.valueType ? table : { ...table, valueType };
  }
  return table;
}
