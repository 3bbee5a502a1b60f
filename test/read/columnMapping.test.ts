import { beforeEach, describe, expect, test } from "vitest";
import type { Table } from "#src/index.js";
import type { Protocol } from "#src/log/actions.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { inlineVector } from "../log/deletionVectorBytes.js";
import { type CountingStore, countingStore } from "../storage/countingStore.js";
import { array, inFile, LEGACY, LISTED, map, mapped, metaData, putFile, struct, tableOf } from "./mappedTable.js";

let store: CountingStore;
beforeEach(() => {
  store = countingStore(memoryStore());
});

const gets = () => store.take().filter((call) => !call.includes("_delta_log"));

const PROTOCOLS: readonly (readonly [string, Protocol])[] = [
  ["reader version 2", LEGACY],
  ["the listed feature", LISTED],
  [
    "reader version 2 with writer features",
    { minReaderVersion: 2, minWriterVersion: 7, writerFeatures: ["columnMapping"] },
  ],
];

// [R-CM-1]
describe.each(PROTOCOLS)("with %s", (_, protocol) => {
  test("[R-CM-3] columns are found by physical names, in any order, with some missing and others there", async () => {
    const columns = [
      mapped("id", "p-id", 1, "long"),
      mapped("Name", "p-name", 2, "string"),
      mapped("at", "p-at", 3, "date"),
    ];
    const table = await tableOf(
      store,
      [{ protocol }, metaData(columns, "name")],
      [
        await putFile(
          store,
          "a.parquet",
          // Files may have columns under the names that readers see: they are others.
          [inFile("name", "string"), inFile("p-name", "string"), inFile("id", "string"), inFile("p-id", "long")],
          [{ name: "no", "p-name": "ada", id: "no", "p-id": 1n }],
        ),
        await putFile(
          store,
          "b.parquet",
          [inFile("p-at", "date"), inFile("p-id", "long")],
          [{ "p-at": new Date(0), "p-id": 2n }],
        ),
      ],
    );
    expect(await table.toArray()).toEqual([
      { id: 1n, Name: "ada", at: null },
      { id: 2n, Name: null, at: new Date(0) },
    ]);
    expect(await table.toArray({ columns: ["at", "id"] })).toEqual([
      { at: null, id: 1n },
      { at: new Date(0), id: 2n },
    ]);
    expect(await table.toArray({ columns: ["Name"], where: { id: 1n } })).toEqual([{ Name: "ada" }]);
    expect(await table.count({ where: { at: null } })).toBe(1);
  });

  test("[R-CM-4] columns are found by ids, whatever the file calls them", async () => {
    const columns = [
      mapped("id", "p-id", 1, "long"),
      mapped("name", "p-name", 2, "string"),
      mapped("late", "p-late", 9, "string"),
    ];
    const table = await tableOf(
      store,
      [{ protocol }, metaData(columns, "id")],
      [
        await putFile(
          store,
          "a.parquet",
          [
            inFile("p-name", "string", 7),
            inFile("x", "string", 2),
            inFile("late", "string"),
            inFile("p-id", "long", 1),
          ],
          [{ "p-name": "no", x: "ada", late: "no", "p-id": 1n }],
        ),
      ],
    );
    expect(await table.toArray()).toEqual([{ id: 1n, name: "ada", late: null }]);
    expect(await table.toArray({ columns: ["name"], where: { late: null } })).toEqual([{ name: "ada" }]);
    expect(await table.toArray({ columns: ["late"] })).toEqual([{ late: null }]);
  });
});

const NESTED = [
  mapped(
    "s",
    "p-s",
    1,
    struct(mapped("a", "p-a", 2, "long"), mapped("b", "p-b", 3, struct(mapped("c", "p-c", 4, "string")))),
  ),
  mapped(
    "list",
    "p-list",
    5,
    array(struct(mapped("a", "p-la", 6, "long"), mapped("d", "p-ld", 7, array(struct(mapped("e", "p-e", 8, "long")))))),
  ),
  mapped(
    "m",
    "p-m",
    9,
    map(
      struct(mapped("k", "p-k", 10, "string")),
      struct(mapped("v", "p-v", 11, "long"), mapped("w", "p-w", 12, "long")),
    ),
  ),
];

const NESTED_ROWS = [
  {
    s: { a: 1n, b: { c: "x" } },
    list: [{ a: 2n, d: [{ e: 3n }, null] }, null, { a: null, d: null }],
    m: new Map([[{ k: "k" }, { v: 4n, w: null }]]),
  },
  { s: { a: null, b: null }, list: [], m: null },
  { s: null, list: null, m: new Map() },
];

test("[R-CM-3] nested columns are found in structs, arrays and maps, by name", async () => {
  const files = [
    inFile("p-m", map(struct(inFile("p-k", "string")), struct(inFile("w", "long"), inFile("p-v", "long")))),
    inFile("p-list", array(struct(inFile("p-ld", array(struct(inFile("p-e", "long")))), inFile("p-la", "long")))),
    inFile("p-s", struct(inFile("c", "string"), inFile("p-b", struct(inFile("p-c", "string"))), inFile("p-a", "long"))),
  ];
  const rows = [
    {
      "p-m": new Map([[{ "p-k": "k" }, { w: 5n, "p-v": 4n }]]),
      "p-list": [{ "p-ld": [{ "p-e": 3n }, null], "p-la": 2n }, null, { "p-ld": null, "p-la": null }],
      "p-s": { c: "no", "p-b": { "p-c": "x" }, "p-a": 1n },
    },
    { "p-m": null, "p-list": [], "p-s": { c: null, "p-b": null, "p-a": null } },
    { "p-m": new Map(), "p-list": null, "p-s": null },
  ];
  const table = await tableOf(
    store,
    [{ protocol: LEGACY }, metaData(NESTED, "name")],
    [await putFile(store, "a.parquet", files, rows)],
  );
  expect(await table.toArray()).toEqual(NESTED_ROWS);
  expect(await table.toArray({ columns: ["m"], where: { "s.b.c": "x" } })).toEqual([{ m: NESTED_ROWS[0]!.m }]);
});

test("[R-CM-4] nested columns are found in structs, arrays and maps, by id", async () => {
  const files = [
    inFile("m", map(struct(inFile("1", "string", 10)), struct(inFile("p-v", "long", 99), inFile("2", "long", 11))), 9),
    inFile("list", array(struct(inFile("3", array(struct(inFile("4", "long", 8))), 7), inFile("5", "long", 6))), 5),
    inFile(
      "s",
      struct(inFile("p-a", "long"), inFile("6", struct(inFile("7", "string", 4)), 3), inFile("8", "long", 2)),
      1,
    ),
  ];
  const rows = [
    {
      m: new Map([[{ 1: "k" }, { "p-v": 5n, 2: 4n }]]),
      list: [{ 3: [{ 4: 3n }, null], 5: 2n }, null, { 3: null, 5: null }],
      s: { "p-a": 77n, 6: { 7: "x" }, 8: 1n },
    },
    { m: null, list: [], s: { "p-a": 77n, 6: null, 8: null } },
    { m: new Map(), list: null, s: null },
  ];
  const table = await tableOf(
    store,
    [{ protocol: LISTED }, metaData(NESTED, "id")],
    [await putFile(store, "a.parquet", files, rows)],
  );
  expect(await table.toArray()).toEqual(NESTED_ROWS);
  expect(await table.toArray({ columns: ["list"], where: { "s.a": 1 } })).toEqual([{ list: NESTED_ROWS[0]!.list }]);
});

describe("[R-CM-5] a file without ids in mode id", () => {
  const columns = [mapped("id", "id", 1, "long"), mapped("part", "part", 2, "string")];

  test("is refused, but for what needs no column of it", async () => {
    const file = await putFile(store, "a.parquet", [inFile("id", "long")], [{ id: 1n }], {
      partitionValues: { part: "x" },
    });
    const metadata = metaData(columns, "id", { partitionColumns: ["part"] });
    const table = await tableOf(store, [{ protocol: LEGACY }, metadata], [file]);
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => table.toArray());
    expect(error.data).toEqual({ path: "a.parquet" });
    expect(await table.toArray({ columns: ["part"] })).toEqual([{ part: "x" }]);
    expect(await table.count()).toBe(1);
  });
});

test.each(["name", "id"])("names of dropped columns are used again, in mode %s", async (mode) => {
  const id = mapped("id", "c1", 1, "long");
  const first = await putFile(
    store,
    "a.parquet",
    [inFile("c1", "long", 1), inFile("c2", "string", 2)],
    [{ c1: 1n, c2: "old" }],
  );
  const second = await putFile(
    store,
    "b.parquet",
    [inFile("c3", "long", 3), inFile("c1", "long", 1)],
    [{ c3: 5n, c1: 2n }],
  );
  const table = await tableOf(
    store,
    [{ protocol: LISTED }, metaData([id, mapped("a", "c2", 2, "string")], mode)],
    [first],
    [metaData([id, mapped("b", "c2", 2, "string")], mode)],
    [metaData([id], mode)],
    [metaData([id, mapped("a", "c3", 3, "long")], mode)],
    [second],
  );
  expect(await table.at(1).toArray()).toEqual([{ id: 1n, a: "old" }]);
  expect(await table.at(2).toArray()).toEqual([{ id: 1n, b: "old" }]);
  expect(await table.at(3).toArray()).toEqual([{ id: 1n }]);
  expect(await table.toArray()).toEqual([
    { id: 1n, a: null },
    { id: 2n, a: 5n },
  ]);
});

test("[R-CM-6] partition values have physical names, also where two columns have each other's", async () => {
  const columns = [mapped("x", "y", 1, "string"), mapped("y", "x", 2, "string"), mapped("id", "p-id", 3, "long")];
  const rows = [{ "p-id": 1n }];
  const table = await tableOf(
    store,
    [{ protocol: LEGACY }, metaData(columns, "name", { partitionColumns: ["x", "y"] })],
    [
      await putFile(store, "a.parquet", [inFile("p-id", "long")], rows, { partitionValues: { x: "in y", y: "in x" } }),
      await putFile(store, "b.parquet", [inFile("p-id", "long")], [{ "p-id": 2n }], {
        partitionValues: { x: null, y: "z" },
      }),
    ],
  );
  expect(await table.toArray()).toEqual([
    { x: "in x", y: "in y", id: 1n },
    { x: "z", y: null, id: 2n },
  ]);
  store.take();
  expect(await table.toArray({ where: { x: "z" } })).toEqual([{ x: "z", y: null, id: 2n }]);
  expect(gets().filter((call) => call.includes("a.parquet"))).toEqual([]);
  expect(await table.count({ where: { y: "in y" } })).toBe(1);
});

test("[R-CM-6] statistics have physical names, nested ones too: files are skipped and rows counted by them", async () => {
  const columns = [
    mapped("id", "p-id", 1, "long"),
    mapped("s", "p-s", 2, struct(mapped("id", "p-n", 3, "long"))),
    mapped("p-id", "other", 4, "long"),
  ];
  const file = [
    inFile("p-id", "long", 1),
    inFile("p-s", struct(inFile("p-n", "long", 3)), 2),
    inFile("other", "long", 4),
  ];
  const put = (path: string, ids: readonly bigint[]) => {
    const rows = ids.map((id) => ({ "p-id": id, "p-s": { "p-n": id * 10n }, other: 0n }));
    const bounds = (id: bigint) => ({ "p-id": Number(id), "p-s": { "p-n": Number(id) * 10 }, other: 0 });
    const stats = {
      numRecords: ids.length,
      minValues: bounds(ids[0]!),
      maxValues: bounds(ids.at(-1)!),
      nullCount: { "p-id": 0, "p-s": { "p-n": 0 }, other: 0 },
    };
    return putFile(store, path, file, rows, { stats: JSON.stringify(stats) });
  };
  const table = await tableOf(
    store,
    [{ protocol: LISTED }, metaData(columns, "id")],
    [await put("a.parquet", [1n, 2n]), await put("b.parquet", [3n, 4n])],
  );
  store.take();
  expect(await table.count({ where: { id: { gte: 3 } } })).toBe(2);
  expect(await table.count({ where: { "p-id": 0 } })).toBe(4);
  expect(await table.count({ where: { id: { gt: 4 } } })).toBe(0);
  expect(gets()).toEqual([]);
  expect(await table.toArray({ columns: ["id"], where: { "s.id": { lt: 20 } } })).toEqual([{ id: 1n }]);
  expect(gets().filter((call) => call.includes("b.parquet"))).toEqual([]);
});

test("only the wanted columns' bytes are fetched", async () => {
  const columns = [mapped("small", "p1", 1, "long"), mapped("large", "p2", 2, "string")];
  const noise = (n: number) =>
    Array.from({ length: 40 }, (_, i) => ((n * 7919 + i * 104729) % 65521).toString(36)).join("");
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ p2: noise(i), p1: BigInt(i) }));
  const file = await putFile(store, "a.parquet", [inFile("p2", "string", 2), inFile("p1", "long", 1)], rows);
  let fetched = 0;
  const get = store.get.bind(store);
  store.get = async (...args) => {
    const bytes = await get(...args);
    fetched += bytes.length;
    return bytes;
  };
  for (const mode of ["name", "id"]) {
    const table = await tableOf(store, [{ protocol: LISTED }, metaData(columns, mode)], [file]);
    fetched = 0;
    expect((await table.toArray({ columns: ["small"] })).length).toBe(20_000);
    expect(fetched).toBeLessThan(file.add.size / 2);
  }
});

test("deletion vectors remove rows of mapped files", async () => {
  const columns = [mapped("id", "p-id", 1, "long"), mapped("n", "p-n", 2, "long")];
  const rows = Array.from({ length: 10 }, (_, i) => ({ "p-n": BigInt(-i), "p-id": BigInt(i) }));
  const file = [inFile("p-n", "long", 2), inFile("p-id", "long", 1)];
  const vector = { deletionVector: inlineVector([0, 3, 4, 9]), stats: '{"numRecords":10}', rowGroupRows: 4 };
  for (const mode of ["name", "id"]) {
    const table = await tableOf(
      store,
      [{ protocol: LISTED }, metaData(columns, mode)],
      [await putFile(store, "a.parquet", file, rows, vector)],
    );
    expect(await table.toArray({ columns: ["id"] })).toEqual([1, 2, 5, 6, 7, 8].map((id) => ({ id: BigInt(id) })));
    expect(await table.toArray({ where: { n: { lt: -6 } } })).toEqual(
      [7, 8].map((id) => ({ id: BigInt(id), n: BigInt(-id) })),
    );
    expect(await table.count()).toBe(6);
  }
});

describe("what isn't in force", () => {
  const columns = [mapped("id", "p-id", 1, "long")];
  const rows = [{ id: 7n }];

  test("[R-CM-1] [R-CM-2] is passed over: mode none, and a protocol without the feature", async () => {
    const file = await putFile(store, "a.parquet", [inFile("id", "long", 5)], rows);
    const none = await tableOf(store, [{ protocol: LEGACY }, metaData(columns, "none")], [file]);
    expect(await none.toArray({ where: { id: 7 } })).toEqual(rows);
    expect((await none.append([{ id: 8n }])).version).toBe(2);
    expect(await none.count()).toBe(2);
    const other = memoryStore();
    const unlisted = await putFile(other, "a.parquet", [inFile("id", "long", 5)], rows);
    const old = await tableOf(
      other,
      [{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }, metaData(columns, "name")],
      [unlisted],
    );
    expect(await old.toArray()).toEqual(rows);
  });

  test.each(["name", "id"])("a table that another writer maps by %s takes rows", async (mode) => {
    const table = await tableOf(store, [{ protocol: LEGACY }, metaData(columns, mode)]);
    await table.append(rows);
    expect(await table.toArray()).toEqual(rows);
  });
});

describe("a schema that doesn't say where its columns are", () => {
  const id = mapped("id", "p-id", 1, "long");
  const cases = [
    ["no physical name", "name", [id, { ...id, name: "n", metadata: { "delta.columnMapping.id": 2 } }], "n"],
    ["a physical name twice", "name", [id, mapped("n", "p-id", 2, "long")], "n"],
    ["no id", "id", [id, { ...id, name: "n", metadata: { "delta.columnMapping.physicalName": "p-n" } }], "n"],
    [
      "an id twice",
      "id",
      [id, mapped("n", "p-n", 2, array(struct(mapped("deep", "p-d", 1, "long"))))],
      "n.element.deep",
    ],
    ["an id that is a text", "id", [{ ...id, metadata: { ...id.metadata, "delta.columnMapping.id": "1" } }], "id"],
  ] as const;

  test.each(cases)("is refused: %s", async (_, mode, columns, column) => {
    const table = await tableOf(store, [{ protocol: LEGACY }, metaData(columns, mode)]);
    const error = await expectCode("DELTA_INVALID_SCHEMA", () => table.toArray());
    expect(error.data).toMatchObject({ column });
  });

  test("so is a mode that there isn't", async () => {
    const table = await tableOf(store, [{ protocol: LEGACY }, metaData([id], "position")]);
    await expectCode("DELTA_INVALID_PROPERTY_VALUE", () => table.toArray());
  });
});

describe("changes", () => {
  const ON = { "delta.enableChangeDataFeed": "true" };
  const id = mapped("id", "c1", 1, "long");
  const part = mapped("part", "c2", 2, "string");
  const value = mapped("value", "c3", 3, "string");
  const more = { partitionColumns: ["part"], configuration: ON };
  const partitionValues = { c2: "x" };

  async function changing(mode: string, later: readonly (typeof id)[]): Promise<Table> {
    const columns = [inFile("c3", "string", 3), inFile("c1", "long", 1)];
    const first = await putFile(
      store,
      "a.parquet",
      columns,
      [
        { c3: "one", c1: 1n },
        { c3: "two", c1: 2n },
      ],
      { partitionValues },
    );
    const { add } = await putFile(
      store,
      "_change_data/c.parquet",
      [...columns, inFile("_change_type", "string")],
      [{ c3: "two", c1: 2n, _change_type: "delete" }],
      { partitionValues },
    );
    const { path, size } = add;
    return tableOf(
      store,
      [{ protocol: LISTED }, metaData([id, part, value], mode, more)],
      [first],
      [{ cdc: { path, size, partitionValues, dataChange: false } }],
      [metaData(later, mode, more)],
    );
  }

  test.each(["name", "id"])("are told under logical names, in mode %s", async (mode) => {
    const table = await changing(mode, [id, part, value, mapped("added", "c4", 4, "long")]);
    const columns = ["_change_type", "part", "id", "value"] as const;
    expect(await table.changes({ from: 0, columns }).toArray()).toEqual([
      { _change_type: "insert", part: "x", id: 1n, value: "one" },
      { _change_type: "insert", part: "x", id: 2n, value: "two" },
      { _change_type: "delete", part: "x", id: 2n, value: "two" },
    ]);
    expect(await table.changes({ from: 0, where: { part: "x", id: 1n }, columns: ["value"] }).toArray()).toEqual([
      { value: "one" },
    ]);
    expect(await table.changes({ from: 0 }).count()).toBe(3);
  });

  const LATER = [
    ["renamed", [id, part, mapped("other", "c3", 3, "string")], ["value"]],
    ["dropped", [id, part], ["value"]],
    ["dropped and added again", [id, part, mapped("value", "c9", 9, "string")], ["value"]],
  ] as const;

  test.each(LATER)("aren't told across a column that is %s, but before and after it", async (_, later, columns) => {
    const table = await changing("name", later);
    const error = await expectCode("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", () =>
      table.changes({ from: 1 }).toArray(),
    );
    expect(error.data.columns).toEqual(columns);
    expect(await table.changes({ from: 1, to: 2 }).count()).toBe(3);
    expect(await table.changes({ from: 3 }).count()).toBe(0);
  });

  test("are told across the version that turned column mapping on", async () => {
    const plain = [{ ...id, name: "c1", metadata: {} }];
    const on = [mapped("c1", "c1", 1, "long"), mapped("late", "c5", 5, "long")];
    const file = await putFile(store, "a.parquet", [inFile("c1", "long")], [{ c1: 1n }]);
    const table = await tableOf(
      store,
      [{ protocol: { minReaderVersion: 1, minWriterVersion: 4 } }, metaData(plain, "none", { configuration: ON })],
      [file],
      [{ protocol: LEGACY }, metaData(on, "name", { configuration: ON })],
      [await putFile(store, "b.parquet", [inFile("c5", "long", 5), inFile("c1", "long", 1)], [{ c5: 3n, c1: 2n }])],
    );
    expect(await table.changes({ from: 0, columns: ["c1", "late"] }).toArray()).toEqual([
      { c1: 1n, late: null },
      { c1: 2n, late: 3n },
    ]);
    expect(await table.toArray()).toEqual([
      { c1: 1n, late: null },
      { c1: 2n, late: 3n },
    ]);
  });
});
