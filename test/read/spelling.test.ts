import { beforeEach, describe, expect, test } from "vitest";
import type { StructField } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { PROTOCOL } from "../log/build.js";
import { array, inFile, LISTED, map, mapped, metaData, putFile, struct, tableOf } from "./mappedTable.js";

let store: ObjectStore;
beforeEach(() => {
  store = memoryStore();
});

const field = (name: string, type: StructField["type"]): StructField => ({ name, type, nullable: true, metadata: {} });
const plain = (...fields: StructField[]) => [PROTOCOL, metaData(fields, "none")];

describe("[R-FILE-10] a column of a file whose name differs in case only", () => {
  test("is the table's, at every depth", async () => {
    const item = (name: string) => struct(field(name, "long"));
    const columns = [
      field("Id", "long"),
      field("S", struct(field("Inner", item("Deep")))),
      field("L", array(item("X"))),
      field("M", map("string", item("Y"))),
    ];
    const spelled = [
      inFile("l", array(item("x"))),
      inFile("ID", "long"),
      inFile("m", map("string", item("y"))),
      inFile("s", struct(field("inner", item("DEEP")))),
    ];
    const row = { ID: 1n, s: { inner: { DEEP: 2n } }, l: [{ x: 3n }, null], m: new Map([["k", { y: 4n }]]) };
    const own = await putFile(store, "a.parquet", columns, [{ Id: 5n, S: null, L: [], M: null }]);
    const table = await tableOf(store, plain(...columns), [own, await putFile(store, "b.parquet", spelled, [row])]);
    const read = { Id: 1n, S: { Inner: { Deep: 2n } }, L: [{ X: 3n }, null], M: new Map([["k", { Y: 4n }]]) };
    expect(await table.toArray({ where: { Id: 1n } })).toEqual([read]);
    expect(await table.toArray({ columns: ["Id"] })).toEqual([{ Id: 5n }, { Id: 1n }]);
    expect(await table.count({ where: { "S.Inner.Deep": 2n } })).toBe(1);
    expect((await table.verify()).findings).toEqual([]);
  });

  test("isn't taken where one has the very name", async () => {
    const file = await putFile(
      store,
      "a.parquet",
      [inFile("ID", "string"), inFile("id", "long")],
      [{ ID: "x", id: 1n }],
    );
    expect(await (await tableOf(store, plain(field("id", "long")), [file])).toArray()).toEqual([{ id: 1n }]);
  });

  test("is refused where it is one of several", async () => {
    const file = await putFile(store, "a.parquet", [inFile("ID", "long"), inFile("iD", "long")], [{ ID: 1n, iD: 2n }]);
    const table = await tableOf(store, plain(field("id", "long"), field("other", "long")), [file]);
    const error = await expectCode("DELTA_SCHEMA_MISMATCH", () => table.toArray());
    expect(error.data).toMatchObject({ column: "id", path: "a.parquet" });
    expect(await table.toArray({ columns: ["other"] })).toEqual([{ other: null }]);
  });

  test("is found by its physical name, too, but not in place of an id", async () => {
    const columns = [mapped("a", "Col-A", 1, "long"), mapped("b", "col-b", 2, struct(mapped("c", "Col-C", 3, "long")))];
    const spelled = [inFile("col-a", "long", 7), inFile("COL-B", struct(inFile("COL-C", "long", 3)), 2)];
    const file = await putFile(store, "a.parquet", spelled, [{ "col-a": 1n, "COL-B": { "COL-C": 2n } }]);
    const byName = await tableOf(store, [{ protocol: LISTED }, metaData(columns, "name")], [file]);
    expect(await byName.toArray()).toEqual([{ a: 1n, b: { c: 2n } }]);
    const byId = await tableOf(store, [{ protocol: LISTED }, metaData(columns, "id")], [file]);
    expect(await byId.toArray()).toEqual([{ a: null, b: { c: 2n } }]);
  });
});
