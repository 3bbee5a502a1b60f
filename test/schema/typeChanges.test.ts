import { expect, test } from "vitest";
import { isWidening } from "#src/schema/typeChanges.js";

test.each([
  ["byte", "short"],
  ["byte", "integer"],
  ["byte", "long"],
  ["short", "integer"],
  ["short", "long"],
  ["integer", "long"],
  ["float", "double"],
  ["byte", "double"],
  ["short", "double"],
  ["integer", "double"],
  ["date", "timestamp_ntz"],
  ["byte", "decimal(10,0)"],
  ["short", "decimal(12,2)"],
  ["integer", "decimal(38,28)"],
  ["long", "decimal(20,0)"],
  ["long", "decimal(22,2)"],
  ["decimal(6,2)", "decimal(10,2)"],
  ["decimal(6, 2)", "decimal(10, 6)"],
])("%s becomes %s", (from, to) => {
  expect(isWidening(from, to)).toBe(true);
});

test.each([
  ["short", "byte"],
  ["long", "double"],
  ["long", "integer"],
  ["integer", "float"],
  ["double", "float"],
  ["date", "timestamp"],
  ["timestamp", "timestamp_ntz"],
  ["byte", "decimal(9,0)"],
  ["integer", "decimal(11,2)"],
  ["long", "decimal(19,0)"],
  ["decimal(6,2)", "decimal(7,4)"],
  ["decimal(6,2)", "decimal(10,1)"],
  ["decimal(6,2)", "double"],
  ["integer", "string"],
  ["string", "variant"],
  ["integer", "decimal(39,0)"],
  ["constructor", "toString"],
])("%s doesn't become %s", (from, to) => {
  expect(isWidening(from, to)).toBe(false);
});
