import type { DataType, StructField } from "../../schema/types.js";
import { quoteName, quoteText } from "../duckdb.js";
import { coerce, literalOf } from "./cast.js";
import { isInteger, sameType } from "./coercion.js";
import type { CallContext, FunctionRow } from "./functions.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

const ANY = 1000;
const arrayOf = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });

function elementType(value: Typed): DataType {
  if (typeof value.type !== "string" && value.type.type === "array") return value.type.elementType;
  throw invalid(`an array is wanted instead of a value of type ${typeText(value.type)}`);
}

function mapType(value: Typed): Extract<DataType, { type: "map" }> {
  if (typeof value.type !== "string" && value.type.type === "map") return value.type;
  throw invalid(`a map is wanted instead of a value of type ${typeText(value.type)}`);
}

/** Null where one of these is. */
function unlessNull(values: readonly Typed[], sql: string): string {
  return `(CASE WHEN ${values.map((value) => `${value.sql} IS NULL`).join(" OR ")} THEN NULL ELSE ${sql} END)`;
}

/** An array, and a value as its items are. */
function withItem(array: Typed, item: Typed, { toCommon }: CallContext): readonly [Typed, Typed] {
  const element: Typed = { sql: "NULL", type: elementType(array), mayFail: false };
  if ((element.type === "string") !== (item.type === "string") && item.type !== "void") {
    throw invalid(`a ${typeText(item.type)} among items of type ${typeText(element.type)}`);
  }
  const [own, other] = toCommon([element, item]);
  return [coerce(array, arrayOf(own!.type)), other!];
}

/** A function of one array. */
function ofArray(sql: (list: string) => string, gives: (element: DataType) => DataType = arrayOf): FunctionRow {
  return {
    least: 1,
    make: ([array]) => typed(unlessNull([array!], sql(array!.sql)), gives(elementType(array!)), [array!]),
  };
}

/** A function of two arrays whose items are of one type. */
function ofTwo(sql: (a: string, b: string) => string, isCondition = false): FunctionRow {
  return {
    least: 2,
    make(args, { toCommon }) {
      for (const arg of args) elementType(arg);
      const [a, b] = toCommon(args);
      return typed(unlessNull([a!, b!], sql(a!.sql, b!.sql)), isCondition ? "boolean" : a!.type, [a!, b!]);
    },
  };
}

let lists = 0;
/** A name for a parameter that no other has. */
function parameter(): string {
  lists = (lists + 1) % 1_000_000;
  return quoteName(`item ${lists}`);
}

function isIn(list: string, item: string): string {
  const other = parameter();
  return `len(list_filter(${list}, lambda ${other}: ${other} IS NOT DISTINCT FROM ${item})) > 0`;
}

function distinct(list: string): string {
  const [item, index] = [parameter(), parameter()];
  return `list_filter(${list}, lambda ${item}, ${index}: NOT ${isIn(`(${list})[1:${index} - 1]`, item)})`;
}

function kept(list: string, condition: (item: string) => string): string {
  const item = parameter();
  return `list_filter(${list}, lambda ${item}: ${condition(item)})`;
}

function hasNull(list: string): string {
  return `list_aggregate(${list}, 'count') < len(${list})`;
}

const contains: FunctionRow = {
  least: 2,
  make([array, item], context) {
    const [list, wanted] = withItem(array!, item!, context);
    const sql = `CASE WHEN list_contains(${list.sql}, ${wanted.sql}) THEN TRUE WHEN ${hasNull(list.sql)} THEN NULL ELSE FALSE END`;
    return typed(unlessNull([list, wanted], sql), "boolean", [list, wanted]);
  },
};

/** A function of an array and one value as its items are. */
function withValue(
  sql: (list: string, item: string) => string,
  { gives, nulls = "both" }: { readonly gives?: DataType; readonly nulls?: "both" | "array" } = {},
): FunctionRow {
  return {
    least: 2,
    make([array, item], context) {
      const [list, value] = withItem(array!, item!, context);
      const wanted = nulls === "both" ? [list, value] : [list];
      return typed(unlessNull(wanted, sql(list.sql, value.sql)), gives ?? list.type, [list, value]);
    },
  };
}

/** From 1, or from the end; beyond it an error, or null. */
function elementAt(isTry: boolean): FunctionRow {
  return {
    least: 2,
    make([value, index]) {
      if (typeof value!.type !== "string" && value!.type.type === "map") return mapValue(value!, index!);
      const at = coerce(index!, "integer");
      const item = `list_extract(${value!.sql}, ${at.sql})`;
      const outside = isTry ? "" : ` WHEN abs(${at.sql}) > len(${value!.sql}) THEN error('an index beyond the array')`;
      const sql = `(CASE WHEN ${at.sql} = 0 THEN error('an index of 0')${outside} ELSE ${item} END)`;
      return typed(sql, elementType(value!), [value!, at], true);
    },
  };
}

function mapValue(map: Typed, key: Typed): Typed {
  const { keyType, valueType } = mapType(map);
  const wanted = coerce(key, keyType);
  return typed(`element_at(${map.sql}, ${wanted.sql})[1]`, valueType, [map, wanted]);
}

/** From 0; null beyond. */
const get: FunctionRow = {
  least: 2,
  make([array, index]) {
    const at = coerce(index!, "integer");
    const sql = `(CASE WHEN ${at.sql} >= 0 THEN list_extract(${array!.sql}, ${at.sql}::BIGINT + 1) END)`;
    return typed(sql, elementType(array!), [array!, at]);
  },
};

const slice: FunctionRow = {
  least: 3,
  make([array, start, length]) {
    const [from, count] = [coerce(start!, "integer"), coerce(length!, "integer")];
    const first = `(CASE WHEN ${from.sql} > 0 THEN ${from.sql} ELSE len(${array!.sql}) + ${from.sql} + 1 END)`;
    const part = `CASE WHEN ${first} < 1 THEN [] ELSE (${array!.sql})[${first}:${first} + ${count.sql} - 1] END`;
    const sql = `CASE WHEN ${from.sql} = 0 OR ${count.sql} < 0 THEN error('no such slice') ELSE ${part} END`;
    return typed(unlessNull([array!, from, count], sql), arrayOf(elementType(array!)), [array!, from, count], true);
  },
};

const join: FunctionRow = {
  least: 2,
  most: 3,
  make([array, delimiter, instead]) {
    if (elementType(array!) !== "string") throw unsupported("array_join of other than texts");
    const [between, none] = [coerce(delimiter!, "string"), instead && coerce(instead, "string")];
    const item = parameter();
    const items =
      none === undefined
        ? kept(array!.sql, (one) => `${one} IS NOT NULL`)
        : `list_transform(${array!.sql}, lambda ${item}: coalesce(${item}, ${none.sql}))`;
    const parts = none === undefined ? [array!, between] : [array!, between, none];
    return typed(unlessNull(parts, `coalesce(array_to_string(${items}, ${between.sql}), '')`), "string", parts);
  },
};

function sorted(order: "ASC" | "DESC", nulls: "FIRST" | "LAST"): (list: string) => string {
  return (list) => `list_sort(${list}, '${order}', 'NULLS ${nulls}')`;
}

const sortArray: FunctionRow = {
  least: 1,
  most: 2,
  make([array, isUp = literalOf("boolean", "true")]) {
    if (isUp.literal === undefined) throw unsupported("sort_array with a direction that isn't TRUE or FALSE");
    const sql = isUp.literal.toLowerCase() === "true" ? sorted("ASC", "FIRST") : sorted("DESC", "LAST");
    return typed(sql(array!.sql), arrayOf(elementType(array!)), [array!]);
  },
};

const sequence: FunctionRow = {
  least: 2,
  most: 3,
  make([start, end, step], { toCommon }) {
    const [from, to] = toCommon([start!, end!]);
    if (!isInteger(from!.type)) throw unsupported(`a sequence of values of type ${typeText(from!.type)}`);
    const by = step === undefined ? undefined : coerce(step, from!.type);
    const stepSql = by?.sql ?? `(CASE WHEN ${from!.sql} <= ${to!.sql} THEN 1 ELSE -1 END)`;
    const list = `CAST(generate_series(${from!.sql}::BIGINT, ${to!.sql}::BIGINT, ${stepSql}::BIGINT) AS ${SQL_INTEGERS[from!.type as string]}[])`;
    const wrong = `(${stepSql} = 0 AND ${from!.sql} <> ${to!.sql}) OR (${stepSql} > 0 AND ${from!.sql} > ${to!.sql}) OR (${stepSql} < 0 AND ${from!.sql} < ${to!.sql})`;
    const parts = by === undefined ? [from!, to!] : [from!, to!, by];
    const sql = `CASE WHEN ${wrong} THEN error('a sequence that goes the other way') WHEN ${stepSql} = 0 THEN [${from!.sql}] ELSE ${list} END`;
    return typed(unlessNull(parts, sql), arrayOf(from!.type), parts, true);
  },
};
const SQL_INTEGERS: Readonly<Record<string, string>> = {
  ...{ byte: "TINYINT", short: "SMALLINT", integer: "INTEGER", long: "BIGINT" },
};

const repeated: FunctionRow = {
  least: 2,
  make([value, count]) {
    const [times, item] = [coerce(count!, "integer"), parameter()];
    const sql = `list_transform(range(${times.sql}), lambda ${item}: ${value!.sql})`;
    return typed(unlessNull([times], sql), arrayOf(value!.type), [value!, times]);
  },
};

const array: FunctionRow = {
  least: 0,
  most: ANY,
  make(args, { toCommon }) {
    const values = toCommon(args);
    return typed(`[${values.map(({ sql }) => sql).join(", ")}]`, arrayOf(values[0]?.type ?? "void"), values);
  },
};

function madeMap(keys: readonly Typed[], values: readonly Typed[]): Typed {
  const [keyType, valueType] = [keys[0]?.type ?? "void", values[0]?.type ?? "void"];
  const list = (of: readonly Typed[]) => `[${of.map(({ sql }) => sql).join(", ")}]`;
  const type: DataType = { type: "map", keyType, valueType, valueContainsNull: true };
  return typed(`map(${list(keys)}, ${list(values)})`, type, [...keys, ...values], true);
}

const map: FunctionRow = {
  least: 0,
  most: ANY,
  make(args, { toCommon }) {
    if (args.length % 2 === 1) throw invalid("a map has a key without a value");
    return madeMap(toCommon(args.filter((_, i) => i % 2 === 0)), toCommon(args.filter((_, i) => i % 2 === 1)));
  },
};

/** A struct of named values. */
export function structOf(fields: readonly (readonly [string, Typed])[]): Typed {
  const type: DataType = {
    type: "struct",
    fields: fields.map(([name, { type: of }]): StructField => ({ name, type: of, nullable: true, metadata: {} })),
  };
  const sql = fields.map(([name, value]) => `${quoteName(name)} := ${value.sql}`).join(", ");
  return typed(
    `struct_pack(${sql})`,
    type,
    fields.map(([, value]) => value),
  );
}

const namedStruct: FunctionRow = {
  least: 2,
  most: ANY,
  make(args) {
    if (args.length % 2 === 1) throw invalid("a struct has a name without a value");
    const fields = Array.from({ length: args.length / 2 }, (_, i) => {
      const name = args[2 * i]!.literal;
      if (name === undefined) throw unsupported("a field's name that isn't a text in quotes");
      return [name, args[2 * i + 1]!] as const;
    });
    return structOf(fields);
  },
};

/** A function of one map. */
function ofMap(
  sql: (map: string) => string,
  gives: (type: Extract<DataType, { type: "map" }>) => DataType,
): FunctionRow {
  return {
    least: 1,
    make: ([value]) => typed(unlessNull([value!], sql(value!.sql)), gives(mapType(value!)), [value!]),
  };
}

const entryOf = (keyType: DataType, valueType: DataType): DataType => ({
  type: "struct",
  fields: [
    { name: "key", type: keyType, nullable: false, metadata: {} },
    { name: "value", type: valueType, nullable: true, metadata: {} },
  ],
});

const mapFromArrays: FunctionRow = {
  least: 2,
  make([keys, values]) {
    const type: DataType = {
      ...{ type: "map", keyType: elementType(keys!), valueType: elementType(values!), valueContainsNull: true },
    };
    return typed(unlessNull([keys!, values!], `map(${keys!.sql}, ${values!.sql})`), type, [keys!, values!], true);
  },
};

const mapFromEntries: FunctionRow = {
  least: 1,
  make([entries]) {
    const type = elementType(entries!);
    if (typeof type === "string" || type.type !== "struct" || type.fields.length !== 2)
      throw invalid("no entries of a map");
    const [key, value] = type.fields as [StructField, StructField];
    const item = parameter();
    const list = (name: string) =>
      `list_transform(${entries!.sql}, lambda ${item}: struct_extract(${item}, ${quoteText(name)}))`;
    const made: DataType = { type: "map", keyType: key.type, valueType: value.type, valueContainsNull: true };
    const sql = `CASE WHEN NOT (${hasNull(entries!.sql)}) THEN map(${list(key.name)}, ${list(value.name)}) END`;
    return typed(unlessNull([entries!], sql), made, [entries!], true);
  },
};

const mapConcat: FunctionRow = {
  least: 1,
  most: ANY,
  make(args) {
    const type = mapType(args[0]!);
    if (args.some((arg) => !sameType(arg.type, type))) throw unsupported("map_concat of maps of several types");
    const of = (part: "keys" | "values") => args.map(({ sql }) => `map_${part}(${sql})`).join(" || ");
    return typed(unlessNull(args, `map(${of("keys")}, ${of("values")})`), type, args, true);
  },
};

const mapContainsKey: FunctionRow = {
  least: 2,
  make([value, key]) {
    const wanted = coerce(key!, mapType(value!).keyType);
    return typed(unlessNull([value!, wanted], `list_contains(map_keys(${value!.sql}), ${wanted.sql})`), "boolean", [
      value!,
      wanted,
    ]);
  },
};

const flatten: FunctionRow = {
  least: 1,
  make([value]) {
    const inner = elementType(value!);
    if (typeof inner === "string" || inner.type !== "array") throw invalid("flatten of an array of no arrays");
    return typed(
      unlessNull([value!], `CASE WHEN NOT (${hasNull(value!.sql)}) THEN flatten(${value!.sql}) END`),
      inner,
      [value!],
    );
  },
};

const itself = (element: DataType) => element;

/** Functions of arrays, maps and structs. */
export const ARRAY_FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  ...{ array, map, named_struct: namedStruct, array_contains: contains, element_at: elementAt(false) },
  ...{ try_element_at: elementAt(true), get, slice, array_join: join, sort_array: sortArray, sequence, flatten },
  array_sort: ofArray(sorted("ASC", "LAST")),
  array_size: ofArray(
    (list) => `CAST(len(${list}) AS INTEGER)`,
    () => "integer",
  ),
  array_max: ofArray((list) => `list_max(${list})`, itself),
  array_min: ofArray((list) => `list_min(${list})`, itself),
  array_distinct: ofArray(distinct),
  array_compact: ofArray((list) => kept(list, (item) => `${item} IS NOT NULL`)),
  array_union: ofTwo((a, b) => distinct(`list_concat(${a}, ${b})`)),
  array_intersect: ofTwo((a, b) => distinct(kept(a, (item) => isIn(b, item)))),
  array_except: ofTwo((a, b) => distinct(kept(a, (item) => `NOT ${isIn(b, item)}`))),
  arrays_overlap: ofTwo((a, b) => {
    const both = `len(${kept(a, (item) => `list_contains(${b}, ${item})`)}) > 0`;
    return `CASE WHEN ${both} THEN TRUE WHEN len(${a}) > 0 AND len(${b}) > 0 AND (${hasNull(a)} OR ${hasNull(b)}) THEN NULL ELSE FALSE END`;
  }, true),
  array_position: withValue((list, item) => `CAST(coalesce(list_position(${list}, ${item}), 0) AS BIGINT)`, {
    gives: "long",
  }),
  array_remove: withValue((list, item) => kept(list, (one) => `(${one} = ${item}) IS NOT TRUE`)),
  array_append: withValue((list, item) => `list_append(${list}, ${item})`, { nulls: "array" }),
  array_prepend: withValue((list, item) => `list_prepend(${item}, ${list})`, { nulls: "array" }),
  array_repeat: repeated,
  map_keys: ofMap(
    (of) => `map_keys(${of})`,
    ({ keyType }) => arrayOf(keyType),
  ),
  map_values: ofMap(
    (of) => `map_values(${of})`,
    ({ valueType }) => arrayOf(valueType),
  ),
  map_entries: ofMap(
    (of) => `map_entries(${of})`,
    ({ keyType, valueType }) => arrayOf(entryOf(keyType, valueType)),
  ),
  ...{ map_from_arrays: mapFromArrays, map_from_entries: mapFromEntries, map_concat: mapConcat },
  map_contains_key: mapContainsKey,
};
