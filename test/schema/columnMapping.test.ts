import { describe, expect, test } from "vitest";
import { physicalPath, physicalSchema, reusedNames, withoutColumnMapping } from "#src/schema/columnMapping.js";
import type { StructType } from "#src/schema/types.js";
import { array, map, mapped, struct } from "../read/mappedTable.js";

const point = (x: string) => struct(mapped("x", x, 3, "long"));
const SCHEMA = struct(
  mapped("a", "p-a", 1, struct(mapped("b", "p-b", 2, point("p-x")))),
  mapped("list", "p-list", 4, array(point("p-y"))),
  mapped("map", "p-map", 5, map(point("p-k"), array(point("p-v")))),
);

describe("physical names", () => {
  test("stand at every depth, unless there is no mapping", () => {
    const names = (schema: StructType) => JSON.stringify(schema).match(/(?<="name":")[^"]*/g);
    expect(names(physicalSchema(SCHEMA, "name"))).toEqual([
      "p-a",
      "p-b",
      "p-x",
      "p-list",
      "p-y",
      "p-map",
      "p-k",
      "p-v",
    ]);
    expect(names(physicalSchema(SCHEMA, "id"))).toEqual(names(physicalSchema(SCHEMA, "name")));
    expect(physicalSchema(SCHEMA, "none")).toBe(SCHEMA);
  });

  test("are those of a path into structs", () => {
    expect(physicalPath(SCHEMA, ["a", "b", "x"], "id")).toEqual(["p-a", "p-b", "p-x"]);
    expect(physicalPath(SCHEMA, ["a"], "name")).toEqual(["p-a"]);
    expect(physicalPath(SCHEMA, ["a", "b"], "none")).toEqual(["a", "b"]);
  });
});

test("a schema for others says nothing of the table's files", () => {
  const column = mapped("list", "p", 1, array(struct(mapped("x", "q", 2, "long"))));
  const metadata = { ...column.metadata, "delta.columnMapping.nested.ids": { "p.element": 9 }, comment: "kept" };
  const plain = { nullable: true, metadata: {} };
  expect(withoutColumnMapping(struct({ ...column, metadata }))).toEqual(
    struct({
      ...plain,
      name: "list",
      type: array(struct({ ...plain, name: "x", type: "long" })),
      metadata: { comment: "kept" },
    }),
  );
  const other = struct({ ...plain, name: "x", type: "long" });
  expect(withoutColumnMapping(other)).toBe(other);
});

describe("names that other columns have now", () => {
  const named = (schema: StructType) => ({ schema, columnMapping: "name" }) as const;
  const none = (schema: StructType) => ({ schema, columnMapping: "none" }) as const;

  test("are found at every depth", () => {
    const renewed = struct(
      mapped("a", "p-a", 1, struct(mapped("b", "p-b", 2, point("new")))),
      mapped("list", "p-list", 4, array(point("new"))),
      mapped("map", "p-map", 5, map(point("new"), array(point("new")))),
      mapped("more", "p-more", 6, "long"),
    );
    expect(reusedNames(named(SCHEMA), named(renewed))).toEqual([
      "a.b.x",
      "list.element.x",
      "map.key.x",
      "map.value.element.x",
    ]);
    expect(reusedNames(named(SCHEMA), named(SCHEMA))).toEqual([]);
    expect(reusedNames(named(struct()), named(renewed))).toEqual([]);
  });

  test("are compared with plain ones where only one side is mapped", () => {
    const upgraded = struct(mapped("a", "a", 1, "long"), mapped("b", "b2", 2, "long"));
    expect(reusedNames(named(upgraded), none(upgraded))).toEqual(["b"]);
    expect(reusedNames(none(upgraded), named(upgraded))).toEqual(["b"]);
    expect(reusedNames(none(SCHEMA), none(upgraded))).toEqual([]);
  });
});
