import type { DataType } from "../../schema/types.js";
import type { SparkNode } from "./tree.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

type LambdaNode = Extract<SparkNode, { kind: "lambda" }>;

/** How the parts of a call with lambdas are translated. */
export interface LambdaContext {
  of(node: SparkNode): Typed;
  /** A lambda's body, its parameters being these values. */
  body(lambda: LambdaNode, values: readonly Typed[]): Typed;
  /** A name for a parameter that nothing else has. */
  name(): string;
}

type LambdaRow = (args: readonly SparkNode[], context: LambdaContext) => Typed;

function elementOf(array: Typed): DataType {
  if (typeof array.type !== "string" && array.type.type === "array") return array.type.elementType;
  throw invalid(`an array is wanted instead of a value of type ${typeText(array.type)}`);
}

function lambdaOf(node: SparkNode | undefined, least: number, most = least): LambdaNode {
  if (node?.kind !== "lambda") throw unsupported("a function whose last argument should be a lambda");
  if (node.names.length < least || node.names.length > most) throw invalid("a lambda has another number of parameters");
  return node;
}

function value(sql: string, type: DataType): Typed {
  return { sql, type, mayFail: false };
}

/** `list_transform` and `list_filter`, with the item and, counted from 0, its index. */
function overItems(
  list: (array: string, lambda: string) => string,
  resultOf: (element: DataType, body: DataType) => DataType,
  isCondition: boolean,
): LambdaRow {
  return ([first, second], { of, body, name }) => {
    const array = of(first!);
    const lambda = lambdaOf(second, 1, 2);
    const [item, index] = [name(), name()];
    const at = value(`CAST(${index} - 1 AS INTEGER)`, "integer");
    const inner = body(lambda, [value(item, elementOf(array)), at].slice(0, lambda.names.length));
    if (isCondition) checkCondition(inner);
    const parameters = lambda.names.length === 1 ? item : `${item}, ${index}`;
    const sql = list(array.sql, `lambda ${parameters}: ${inner.sql}`);
    return typed(sql, resultOf(elementOf(array), inner.type), [array, inner]);
  };
}

function checkCondition({ type }: Typed): void {
  if (type !== "boolean") throw invalid(`a condition is of type ${typeText(type)} instead of boolean`);
}

/** True, false or null as AND and OR over all items have it. */
function quantified(decisive: boolean): LambdaRow {
  return overItems(
    (array, lambda) => {
      const truths = `list_transform(${array}, ${lambda})`;
      const some = `list_contains(${truths}, ${decisive})`;
      const nulls = `list_aggregate(${truths}, 'count') < len(${array})`;
      return `(CASE WHEN ${array} IS NULL THEN NULL WHEN ${some} THEN ${decisive} WHEN ${nulls} THEN NULL ELSE ${!decisive} END)`;
    },
    () => "boolean",
    true,
  );
}

const aggregate: LambdaRow = ([first, second, third, fourth], { of, body, name }) => {
  const [array, zero] = [of(first!), of(second!)];
  const [sum, item] = [name(), name()];
  const merged = body(lambdaOf(third, 2), [value(sum, zero.type), value(item, elementOf(array))]);
  if (merged.type !== zero.type) throw unsupported("an aggregate whose type isn't that of its beginning");
  const sql = `list_reduce(${array.sql}, lambda ${sum}, ${item}: ${merged.sql}, ${zero.sql})`;
  const whole = typed(sql, zero.type, [array, zero, merged]);
  return fourth === undefined ? whole : body(lambdaOf(fourth, 1), [whole]);
};

const zipWith: LambdaRow = ([first, second, third], { of, body, name }) => {
  const [a, b] = [of(first!), of(second!)];
  const at = name();
  const items = [a, b].map((array) => value(`(${array.sql})[${at}]`, elementOf(array)));
  const inner = body(lambdaOf(third, 2), items);
  const count = `greatest(len(${a.sql}), len(${b.sql}))`;
  const list = `list_transform(range(1, ${count} + 1), lambda ${at}: ${inner.sql})`;
  const sql = `(CASE WHEN ${a.sql} IS NOT NULL AND ${b.sql} IS NOT NULL THEN ${list} END)`;
  return typed(sql, { type: "array", elementType: inner.type, containsNull: true }, [a, b, inner]);
};

type MapType = Extract<DataType, { type: "map" }>;

function overEntries(
  make: (map: string, entry: string, body: string) => string,
  resultOf: (map: MapType, body: DataType) => DataType,
): LambdaRow {
  return ([first, second], { of, body, name }) => {
    const map = of(first!);
    if (typeof map.type === "string" || map.type.type !== "map") throw invalid("a map is wanted");
    const entry = name();
    const { keyType, valueType } = map.type;
    const inner = body(lambdaOf(second, 2), [value(`${entry}.key`, keyType), value(`${entry}.value`, valueType)]);
    const sql = make(map.sql, entry, inner.sql);
    return typed(`(CASE WHEN ${map.sql} IS NOT NULL THEN ${sql} END)`, resultOf(map.type, inner.type), [map, inner]);
  };
}

const array = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });

/** Functions that take lambdas, by their names. */
export const LAMBDA_FUNCTIONS: Readonly<Record<string, LambdaRow>> = {
  transform: overItems(
    (list, lambda) => `list_transform(${list}, ${lambda})`,
    (_, body) => array(body),
    false,
  ),
  filter: overItems((list, lambda) => `list_filter(${list}, ${lambda})`, array, true),
  exists: quantified(true),
  forall: quantified(false),
  ...{ aggregate, reduce: aggregate, zip_with: zipWith },
  map_filter: overEntries(
    (map, entry, body) => `map_from_entries(list_filter(map_entries(${map}), lambda ${entry}: ${body}))`,
    (map) => map,
  ),
  transform_values: overEntries(
    (map, entry, body) => `map(map_keys(${map}), list_transform(map_entries(${map}), lambda ${entry}: ${body}))`,
    (map, body) => ({ ...map, valueType: body, valueContainsNull: true }),
  ),
  transform_keys: overEntries(
    (map, entry, body) => `map(list_transform(map_entries(${map}), lambda ${entry}: ${body}), map_values(${map}))`,
    (map, body) => ({ ...map, keyType: body }),
  ),
};
