import { expect, test } from "vitest";
import { lostColumns } from "#src/schema/lostColumns.js";
import type { StructField, StructType } from "#src/schema/types.js";

const struct = (...fields: StructField[]): StructType => ({ type: "struct", fields });
const field = (name: string, type: StructField["type"], metadata = {}): StructField => ({
  name,
  type,
  nullable: true,
  metadata,
});
const plain = (...fields: StructField[]) => ({ schema: struct(...fields), columnMapping: "none" as const });
const mapped = (...fields: StructField[]) => ({ schema: struct(...fields), columnMapping: "name" as const });
const WIDENED = { "delta.typeChanges": [{ fromType: "integer", toType: "long" }] };
const physical = (name: string) => ({ "delta.columnMapping.physicalName": name });

test.each([
  ["a column that came later", plain(field("a", "long"), field("b", "string")), plain(field("a", "long")), []],
  ["a column that is gone", plain(field("a", "long")), plain(field("a", "long"), field("b", "string")), ["b"]],
  ["a column that was widened since", plain(field("a", "long", WIDENED)), plain(field("a", "integer")), []],
  ["a column that is wider there", plain(field("a", "integer")), plain(field("a", "long", WIDENED)), ["a"]],
  ["a column of another type", plain(field("a", "long")), plain(field("a", "integer")), ["a"]],
  [
    "a column under another's name",
    mapped(field("a", "long", physical("y"))),
    mapped(field("a", "long", physical("x"))),
    ["a"],
  ],
])("rows read with another schema of their table: %s", (_, reader, given, lost) => {
  expect(lostColumns(reader, given)).toEqual(lost);
});
