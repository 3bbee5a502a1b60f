import { expect, it } from "vitest";
import { columnBounds, parseStatistics } from "#src/schema/fileStatistics.js";
import type { DataType } from "#src/schema/types.js";

function boundsOf(min: string, max: string, type: DataType) {
  const statistics = parseStatistics(`{"numRecords":2,"minValues":{"c":${min}},"maxValues":{"c":${max}}}`);
  const { min: least, max: most } = columnBounds(statistics!, ["c"], type);
  return [least, most];
}

it("takes the ends of a 64-bit integer for no bounds of a decimal: delta-rs cuts larger values to them", () => {
  expect(boundsOf("-9223372036854775808", "9223372036854775807", "decimal(38,0)")).toEqual([undefined, undefined]);
  expect(boundsOf("-9223372036854775808", "9223372036854775807", "decimal(19,0)")).toEqual([undefined, undefined]);
  const ends = [-(2n ** 63n), 2n ** 63n - 1n];
  expect(boundsOf("-9223372036854775808", "9223372036854775807", "long")).toEqual(ends);
});

it("widens the bounds of long decimals, which may have been doubles", () => {
  const [min, max] = boundsOf("-9223372036854775806", "9223372036854775806", "decimal(38,0)") as [bigint, bigint];
  expect(min).toBeLessThan(-9223372036854775806n);
  expect(max).toBeGreaterThan(9223372036854775806n);
});
