import { describe, expect, test } from "vitest";
import { unscaledToDecimal } from "#src/schema/decimal.js";
import { parsePartitionValue, partitionFolder, serializePartitionValue } from "#src/schema/partition.js";
import type { Literal } from "#src/schema/predicate.js";
import { formatTimestamp } from "#src/schema/time.js";
import type { DataType } from "#src/schema/types.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { literalsOf } from "./values.js";

const types: readonly DataType[] = [
  ...(["string", "long", "integer", "short", "byte", "float", "double", "boolean"] as const),
  ...(["date", "timestamp", "timestamp_ntz", "decimal(10,2)", "decimal(38,38)", "decimal(38,0)"] as const),
];

test.each(types)("every %s reads back from its text", (type) => {
  fc.assert(
    fc.property(literalsOf(type), (value) => {
      const text = serializePartitionValue(type, value);
      expect(parsePartitionValue(type, text)).toEqual(value === "" ? null : value);
    }),
  );
});

test.each<[DataType, Literal, string]>([
  ["long", -(2n ** 63n), "-9223372036854775808"],
  ["double", 1, "1.0"],
  ["double", -0, "-0.0"],
  ["double", 1e7, "1.0E7"],
  ["double", 1.5e-7, "1.5E-7"],
  ["double", 123456.789, "123456.789"],
  ["float", Math.fround(0.1), "0.1"],
  ["double", Number.NaN, "NaN"],
  ["double", -Infinity, "-Infinity"],
  ["decimal(12,5)", -234234223423n, "-2342342.23423"],
  ["decimal(10,2)", 0n, "0.00"],
  ["boolean", true, "true"],
  ["date", -719_162, "0001-01-01"],
  ["timestamp", 123_456n, "1970-01-01T00:00:00.123456Z"],
  ["timestamp_ntz", 0n, "1970-01-01 00:00:00"],
  ["timestamp_ntz", -1n, "1969-12-31 23:59:59.999999"],
  ["binary", Uint8Array.of(1, 2, 3), "\u0001\u0002\u0003"],
])("%s %s is written as %s", (type, value, text) => {
  expect(serializePartitionValue(type, value)).toBe(text);
  expect(parsePartitionValue(type, text)).toEqual(value);
});

test("null and empty text are null, for every type", () => {
  for (const type of [...types, "binary" as const]) {
    expect(serializePartitionValue(type, null)).toBeNull();
    expect(parsePartitionValue(type, null)).toBeNull();
    expect(parsePartitionValue(type, "")).toBeNull();
  }
  expect(serializePartitionValue("string", "")).toBeNull();
  expect(serializePartitionValue("binary", new Uint8Array())).toBeNull();
});

describe("other writers", () => {
  const utc = (text: string, timeZone?: string) =>
    formatTimestamp(parsePartitionValue("timestamp", text, timeZone ? { timeZone } : {}) as bigint);

  test("timestamps without a zone are in the given one, those with a zone in theirs", () => {
    expect(utc("2021-09-08 11:11:11")).toBe("2021-09-08T11:11:11.000000");
    expect(utc("2021-09-08 11:11:11", "America/Los_Angeles")).toBe("2021-09-08T18:11:11.000000");
    expect(utc("2021-09-08T11:11:11.000000Z", "America/Los_Angeles")).toBe("2021-09-08T11:11:11.000000");
    expect(utc("0001-01-01 00:00:00")).toBe("0001-01-01T00:00:00.000000");
  });

  test("decimals with other numbers of digits", () => {
    const read = (text: string) => unscaledToDecimal(parsePartitionValue("decimal(10,2)", text) as bigint, 2);
    expect(["1", "-1.5", "0E-10", "12.340", "1E+2"].map(read)).toEqual(["1.00", "-1.50", "0.00", "12.34", "100.00"]);
  });

  test("numbers as they print them", () => {
    expect(parsePartitionValue("double", "1e-5")).toBe(1e-5);
    expect(parsePartitionValue("double", "inf")).toBe(Infinity);
    expect(parsePartitionValue("float", "0.1")).toBe(Math.fround(0.1));
    expect(parsePartitionValue("boolean", "True")).toBe(true);
  });

  test("binary as text, or as one escape for each byte", () => {
    expect(parsePartitionValue("binary", "ab€")).toEqual(new TextEncoder().encode("ab€"));
    expect(parsePartitionValue("binary", "\\u0001\\u00ff")).toEqual(Uint8Array.of(1, 255));
  });
});

test.each<[DataType, string]>([
  ["integer", "abc"],
  ["integer", "1.5"],
  ["integer", "2147483648"],
  ["byte", "128"],
  ["long", "9223372036854775808"],
  ["double", "1,5"],
  ["double", "0x10"],
  ["decimal(4,2)", "100.00"],
  ["decimal(4,2)", "1.234"],
  ["boolean", "yes"],
  ["date", "2021-02-30"],
  ["timestamp", "2021-02-03 25:00:00"],
  ["timestamp", "999999-01-01T00:00:00Z"],
  ["timestamp_ntz", "2021-02-03T00:00:00Z"],
])("no %s in the log: %s", async (type, text) => {
  const error = await expectCode("DELTA_LOG_CORRUPT", () => parsePartitionValue(type, text, { column: "p" }));
  expect(error.data).toMatchObject({ column: "p", value: text });
});

test("binary that has no text form is refused", async () => {
  for (const bytes of [Uint8Array.of(0xff, 0xfe), new TextEncoder().encode("\\u0001")]) {
    const error = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () =>
      serializePartitionValue("binary", bytes, { column: "p" }),
    );
    expect(error.data.column).toBe("p");
  }
});

describe("folders", () => {
  test("Hive's names, with Spark's escapes", () => {
    expect(partitionFolder(["year", "city"], ["2024", "New York"])).toBe("year=2024/city=New York");
    expect(partitionFolder(["a", "b", "c"], ["1", null, ""])).toBe(
      "a=1/b=__HIVE_DEFAULT_PARTITION__/c=__HIVE_DEFAULT_PARTITION__",
    );
    expect(partitionFolder(["a=b"], ["x/y:z%\u0001\u007f\n"])).toBe("a%3Db=x%2Fy%3Az%25%01%7F%0A");
    expect(partitionFolder(["a"], [`"#'*?\\{[]^`])).toBe("a=%22%23%27%2A%3F%5C%7B%5B%5D%5E");
    expect(partitionFolder(["größe"], ["日本 + <&>|}~"])).toBe("größe=日本 + <&>|}~");
    expect(partitionFolder([], [])).toBe("");
  });

  test("different values have different folders", () => {
    const text = fc.string({ unit: fc.constantFrom("%", "2", "F", "/", "=", "a", "\u0001"), minLength: 1 });
    fc.assert(
      fc.property(text, text, (a, b) => (partitionFolder(["p"], [a]) === partitionFolder(["p"], [b])) === (a === b)),
    );
  });
});
