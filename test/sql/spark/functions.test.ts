import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { makeBatch } from "#src/arrow/column.js";
import { rowReader } from "#src/arrow/rows.js";
import { toArrowField } from "#src/arrow/schema.js";
import { parseDdl } from "#src/schema/ddl.js";
import type { StructType } from "#src/schema/types.js";
import { evaluateAll } from "#src/sql/spark/evaluate.js";
import { sparkExpression } from "#src/sql/spark/expression.js";
import { expectCode } from "../../expectCode.js";

const SCHEMA = parseDdl("i int, s string, arr array<int>, mp map<string, int>, ts array<timestamp>");
const ROWS = [{ i: 7, s: "abc", arr: [1, null, 2], mp: { a: 1 }, ts: ["2024-01-31T00:00:00Z"] }, {}];

async function valuesOf(text: string): Promise<unknown[]> {
  const batch = buildBatch(SCHEMA, ROWS, 0);
  const { type, sql, columns } = sparkExpression(text, SCHEMA);
  const [column] = await evaluateAll([{ type, sql, columns }], batch);
  const own: StructType = { type: "struct", fields: [{ name: "c", type, nullable: true, metadata: {} }] };
  return rowReader(own)(makeBatch(own.fields.map(toArrowField), [column!], ROWS.length)).map(({ c }) => c);
}

describe("a function of Spark SQL", () => {
  test.each<[string, unknown, unknown?]>([
    ["hash(i)", 1079293707, 42],
    ["hash(i, s)", 2145440308, 42],
    ["xxhash64(s)", 1423657621850124518n, 42n],
    ["crc32(s)", 891568578n],
    ["sha1(s)", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["hex(encode(s, 'UTF-16'))", "FEFF006100620063"],
    ["conv('ff', 16, 10)", "255", "255"],
    ["bin(i)", "111"],
    ["i << 30", -1073741824],
    ["-8 >>> 28", 15, 15],
    ["bit_count(-1)", 64, 64],
    ["initcap('a-b c')", "A-b C", "A-b C"],
    ["translate(s, 'ab', 'x')", "xc"],
    ["substring_index('a.b.c', '.', -2)", "b.c", "b.c"],
    ["overlay(s placing 'XY' from 2 for 1)", "aXYc"],
    ["overlay('Spark', 'x', -2, 1)", "xk", "xk"],
    ["trim(leading 'a' from s)", "bc"],
    ["trim(both from ' a ')", "a", "a"],
    ["position('c' in s)", 3],
    ["substring(s from 2 for 1)", "b"],
    ["locate('b', 'abcb', 3)", 4, 4],
    ["soundex('Robert')", "R163", "R163"],
    ["levenshtein('kitten', 'sitting')", 3, 3],
    ["format_number(2.675D, 2)", "2.67", "2.67"],
    ["format_string('%s|%05d|%,d|%.1f', s, i, 1234567, 2.25D)", "abc|00007|1,234,567|2.3", "null| null|1,234,567|2.3"],
    ["regexp_replace(s, '([a-c])', '<$1>')", "<a><b><c>"],
    ["split('a,b,,', ',')", ["a", "b", "", ""], ["a", "b", "", ""]],
    ['get_json_object(\'{"a": [1.10, {"b": "x"}]}\', \'$.a\')', '[1.1,{"b":"x"}]', '[1.1,{"b":"x"}]'],
    ["get_json_object('{\"a\": 1', '$.a')", null, null],
    ["s ilike 'A%'", true],
    ["s like any ('x', '%c')", true],
    ["s not like all ('x', '%c')", false],
    ["typeof(arr)", "array<int>", "array<int>"],
    ["decode(i, 7, 'seven', 'other')", "seven", "other"],
    ["elt(2, 'a', s)", "abc"],
    ["transform(arr, x -> x + i)", [8, null, 9]],
    ["transform(arr, (x, n) -> n)", [0, 1, 2]],
    ["filter(arr, x -> x > 1)", [2]],
    ["exists(arr, x -> x = 2)", true],
    ["exists(arr, x -> x = 3)", null],
    ["forall(arr, x -> x > 1)", false],
    ["aggregate(arr, 0, (sum, x) -> sum + coalesce(x, 0))", 3],
    ["zip_with(arr, array(1), (a, b) -> a + b)", [2, null, null]],
    ["map_filter(mp, (k, v) -> v > 1)", new Map()],
    ["transform_values(mp, (k, v) -> v + 1)", new Map([["a", 2]])],
    ["element_at(arr, -1)", 2],
    ["element_at(mp, 'z')", null],
    ["get(arr, 9)", null],
    ["slice(arr, -2, 5)", [null, 2]],
    ["array_distinct(array(1, null, 1, null))", [1, null], [1, null]],
    ["array_join(array('a', null, 'b'), '-')", "a-b", "a-b"],
    ["sort_array(arr)", [null, 1, 2]],
    ["sequence(5, 1, -2)", [5, 3, 1], [5, 3, 1]],
    ["flatten(array(arr, array(i)))", [1, null, 2, 7]],
    ["array_contains(ts, timestamp '2024-01-31 00:00:00')", true],
    ["named_struct('a', i).a", 7],
    ["map('a', i)['a']", 7],
    ["cast(array('1', '2') as array<int>)", [1, 2], [1, 2]],
    ["size(array())", 0, 0],
  ])("%s is what it is in Spark", async (text, value, none = null) => {
    expect(await valuesOf(text)).toEqual([value, none]);
  });

  test.each([
    ...[
      "split_part(s, ',', 0)",
      "unbase64('a')",
      "elt(3, s)",
      "conv('99999999999999999999', 10, 16)",
      "element_at(arr, 0)",
    ],
    ...[
      "element_at(arr, 4)",
      "slice(arr, 0, 1)",
      "sequence(1, 5, -1)",
      "map('a', 1, 'a', 2)",
      "encode('ñ', 'US-ASCII')",
    ],
  ])("has no value for some: %s", async (text) => {
    await expectCode("DELTA_EXPRESSION_FAILED", () => valuesOf(text));
  });

  test.each([
    ...["transform(arr, 1)", "array_join(arr, ',')", "regexp_replace(s, 'a*', '')"],
    ...["get_json_object(s, '$.a[*]')", "format_string('%e', 1)", "array(1) < array(2)", "s like any 'a'"],
  ])("is refused where it can't be what it is in Spark: %s", async (text) => {
    const error = await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => sparkExpression(text, SCHEMA));
    expect(error.data.expression).toBe(text);
  });
});
