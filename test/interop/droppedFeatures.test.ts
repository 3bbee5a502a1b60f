import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DeltaError, Table } from "#src/index.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { localStore } from "#src/storage/local.js";
import type { Content } from "./canonical.js";
import { here, READERS, sortedById, spark } from "./engines.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sqlOn = async <T = unknown>(path: string, text: string) =>
  (await spark()).request<T>("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });
const readThere = async (path: string, version?: number) =>
  sortedById(await (await spark()).request<Content>("read", { path, version: version ?? null }));
const readHere = async (path: string, version?: number) => sortedById(await here.read(path, version));

/** Two tables that Spark made in the same way. */
async function twins(name: string, statements: readonly string[]) {
  const paths = [join(folder, `${name}-here`), join(folder, `${name}-there`)] as const;
  for (const path of paths) for (const statement of statements) await sqlOn(path, statement);
  return paths;
}

/** What the log says of a table: its protocol, schema and properties, and how they came about. */
async function told(path: string) {
  const snapshot = await loadSnapshot(localStore(path));
  const { readerFeatures, writerFeatures, ...versions } = snapshot.protocol;
  const sorted = (names: readonly string[] | undefined) => names && [...names].sort();
  return {
    protocol: { ...versions, readerFeatures: sorted(readerFeatures), writerFeatures: sorted(writerFeatures) },
    schema: JSON.parse(snapshot.metadata.schemaString),
    configuration: snapshot.metadata.configuration,
    version: snapshot.version,
    operations: (await Table.open(path).history()).map(({ operation }) => operation),
  };
}

/** Of a log that may have lost more or less of its beginning. */
async function toldOfLast(path: string, count: number) {
  const { operations, ...rest } = await told(path);
  return { ...rest, operations: operations.slice(0, count) };
}

const flawsOf = async (path: string) =>
  (await Table.open(path).verify()).findings.filter(({ severity }) => severity !== "info");

const codeHere = async (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error) => (error instanceof DeltaError ? error.code : String(error)),
  );
const codeThere = async (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error) => /\[((?:DELTA|WRONG)_[A-Z_]+)/.exec(String(error))?.[1] ?? String(error),
  );

const PLAIN = ["create table TABLE (id int, a string) using delta", "insert into TABLE values (1, 'x'), (2, 'y')"];
const having = (...properties: string[]) => [
  `create table TABLE (id int, a string) using delta tblproperties(${properties.map((each) => each.replace(/(.*)=(.*)/, "'$1'='$2'")).join(", ")})`,
  PLAIN[1]!,
];

const CASES: readonly (readonly [feature: string, name: string, statements: readonly string[]])[] = [
  ["columnMapping", "by name", [...having("delta.columnMapping.mode=name"), "alter table TABLE rename column a to b"]],
  ["columnMapping", "by id", [...having("delta.columnMapping.mode=id"), "alter table TABLE rename column a to b"]],
  [
    "columnMapping",
    "with partitions, changes and constraints",
    [
      "create table TABLE (id int, a string, p string, gone int) using delta partitioned by (p) tblproperties('delta.columnMapping.mode'='name', 'delta.enableChangeDataFeed'='true', 'delta.constraints.c'='id > 0')",
      "insert into TABLE values (1, 'x', 'u', 1), (2, 'y', null, 2)",
      "alter table TABLE drop column gone",
      "alter table TABLE rename column a to b",
    ],
  ],
  ["vacuumProtocolCheck", "listed", having("delta.feature.vacuumProtocolCheck=supported")],
  [
    "inCommitTimestamp",
    "turned on later",
    [...PLAIN, "alter table TABLE set tblproperties('delta.enableInCommitTimestamps'='true')"],
  ],
  ["inCommitTimestamp", "from the beginning", having("delta.enableInCommitTimestamps=true")],
  ["v2Checkpoint", "turned on", having("delta.checkpointPolicy=v2")],
  [
    "checkConstraints",
    "without constraints",
    [
      ...having("delta.constraints.c=id>0", "delta.feature.domainMetadata=supported"),
      "alter table TABLE drop constraint c",
    ],
  ],
  [
    "typeWidening",
    // Files of older types are found by a method that this release of Spark hasn't got any more.
    "without files",
    [
      "create table TABLE (id int, n short, l array<int>, s struct<a:int,b:string>) using delta tblproperties('delta.enableTypeWidening'='true')",
      "alter table TABLE alter column n type int",
      "alter table TABLE alter column s.a type bigint",
      "alter table TABLE alter column l.element type bigint",
    ],
  ],
];

describe("a feature dropped here and by Spark", () => {
  test.each(CASES)("leaves the same table: %s, %s", async (feature, name, statements) => {
    const [mine, theirs] = await twins(`${feature} ${name}`.replaceAll(/[ ,]+/g, "-"), statements);
    await Table.open(mine).alter.dropFeature(feature);
    await sqlOn(theirs, `alter table TABLE drop feature ${feature}`);
    expect(await told(mine)).toEqual(await told(theirs));
    expect(await readThere(mine)).toEqual(await readHere(theirs));
    const rows = await readThere(theirs);
    for (const reader of READERS) {
      expect([reader.name, sortedById(await reader.read(mine))]).toEqual([reader.name, rows]);
    }
    for (const path of [mine, theirs]) {
      const columns = (await Table.open(path).schema()).fields.length;
      const values = ["3", "'z'", "'w'"].slice(0, columns).join(", ");
      if (feature !== "typeWidening") {
        await sqlOn(path, `insert into TABLE values (${values})`);
        await sqlOn(path, "delete from TABLE where id = 1");
      }
      await Table.open(path).append([{ id: 4 }]);
      expect(await readThere(path)).toEqual(await readHere(path));
      expect(await flawsOf(path)).toEqual([]);
    }
  });

  test("leaves the same table and no older versions, a day after the first try", async () => {
    const [mine, theirs] = await twins("truncated", having("delta.columnMapping.mode=name"));
    const drop = {
      [mine]: () => codeHere(Table.open(mine).alter.dropFeature("columnMapping", { truncateHistory: true })),
      [theirs]: () => codeThere(sqlOn(theirs, "alter table TABLE drop feature columnMapping truncate history")),
    };
    for (const expected of [
      "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD",
      "DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST",
    ]) {
      for (const path of [mine, theirs]) expect(await drop[path]!()).toBe(expected);
    }
    for (const path of [mine, theirs]) {
      await makeOlder(path);
      expect(await drop[path]!()).toBe("done");
    }
    expect(await toldOfLast(mine, 2)).toEqual(await toldOfLast(theirs, 2));
    expect(await readThere(mine)).toEqual(await readHere(theirs));
    await sqlOn(mine, "insert into TABLE values (3, 'z')");
    await Table.open(theirs).append([{ id: 3, a: "z" }]);
    expect(await readHere(mine)).toEqual(await readThere(theirs));
  });

  test("is no longer protected once checkpointProtection goes too", async () => {
    const [mine, theirs] = await twins("protected", having("delta.feature.vacuumProtocolCheck=supported"));
    await Table.open(mine).alter.dropFeature("vacuumProtocolCheck");
    await sqlOn(theirs, "alter table TABLE drop feature vacuumProtocolCheck");
    const feature = "checkpointProtection";
    const code = "DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION";
    expect(await codeHere(Table.open(mine).alter.dropFeature(feature))).toBe(code);
    expect(await codeThere(sqlOn(theirs, `alter table TABLE drop feature ${feature}`))).toBe(code);
    const waits = "DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD";
    const truncated = { truncateHistory: true };
    expect(await codeHere(Table.open(mine).alter.dropFeature(feature, truncated))).toBe(waits);
    expect(await codeThere(sqlOn(theirs, `alter table TABLE drop feature ${feature} truncate history`))).toBe(waits);
    for (const path of [mine, theirs]) await makeOlder(path);
    await Table.open(mine).alter.dropFeature(feature, truncated);
    await sqlOn(theirs, `alter table TABLE drop feature ${feature} truncate history`);
    expect(await toldOfLast(mine, 3)).toEqual(await toldOfLast(theirs, 3));
    expect(await readThere(mine)).toEqual(await readHere(theirs));
  });

  test.each([
    ["timestampNtz", false],
    ["variantType", false],
    ["icebergCompatV1", false],
    ["icebergCompatV2", true],
    ["inCommitTimestamp", true],
    ["checkConstraints", false],
    ["checkConstraints", true],
    ["columnMapping", false],
    ["v2Checkpoint", false],
    ["noSuchFeature", false],
  ])("is refused alike: %s, with its history %s", async (feature, truncateHistory) => {
    const statements = [
      "create table TABLE (id int) using delta tblproperties('delta.feature.timestampNtz'='supported', 'delta.feature.icebergCompatV1'='supported', 'delta.feature.inCommitTimestamp'='supported', 'delta.constraints.c'='id > 0')",
    ];
    const [mine, theirs] = await twins(`refused-${feature}-${truncateHistory}`, statements);
    const history = truncateHistory ? " truncate history" : "";
    const code = await codeHere(Table.open(mine).alter.dropFeature(feature, { truncateHistory }));
    expect(code).toBe(await codeThere(sqlOn(theirs, `alter table TABLE drop feature ${feature}${history}`)));
    expect(code).toMatch(/^DELTA_/);
  });
});

/** Has all files of the log be two days old. */
async function makeOlder(path: string): Promise<void> {
  const time = Date.now() / 1000 - 2 * 86_400;
  const names = (await readdir(join(path, "_delta_log"))).filter((name) => /^\d{20}/.test(name)).sort();
  for (const [i, name] of names.entries()) await utimes(join(path, "_delta_log", name), time + i, time + i);
}

test("a table whose types were widened has one type in all files, after its feature was dropped here", async () => {
  const path = join(folder, "widened");
  const schema = { id: "integer", n: "short", f: "float", d: "decimal(5,2)", s: { a: "byte" }, p: "integer" } as const;
  const table = Table.open(path);
  const properties = { "delta.enableTypeWidening": "true" };
  const row = (id: number) => ({ id, n: 7, f: 0.1, d: "1.25", s: { a: 1 }, p: id % 2 });
  await table.append([row(1), row(2)], { schema, properties, partitionBy: ["p"] });
  for (const [column, type] of [
    ["n", "long"],
    ["f", "double"],
    ["d", "decimal(10,4)"],
    ["s.a", "integer"],
    ["p", "long"],
  ] as const) {
    await table.alter.changeColumn(column, { type });
  }
  await sqlOn(path, "insert into TABLE values (3, 5000000000, 0.25D, 12345.5, named_struct('a', 70000), 1)");
  const before = await readThere(path);
  const version = await table.version();
  await table.alter.dropFeature("typeWidening");
  expect(await readHere(path)).toEqual(before);
  expect(await readThere(path)).toEqual(before);
  expect(await readThere(path, version)).toEqual(before);
  await sqlOn(path, "update TABLE set n = n + 1 where id = 1");
  await sqlOn(path, "insert into TABLE values (4, 4, 4D, 4, null, 2)");
  await sqlOn(path, "optimize TABLE");
  expect(await readThere(path)).toEqual(await readHere(path));
  expect((await told(path)).schema.fields.map(({ metadata }: { metadata: unknown }) => metadata)).toEqual(
    Array.from({ length: 6 }, () => ({})),
  );
});

test("column mapping is set to none here and by Spark alike", async () => {
  const made = [...having("delta.columnMapping.mode=name"), "alter table TABLE rename column a to b"];
  const [mine, theirs] = await twins("none", made);
  await Table.open(mine).alter.setProperties({ "delta.columnMapping.mode": "none", team: "me" });
  await sqlOn(theirs, "alter table TABLE set tblproperties('delta.columnMapping.mode'='none', 'team'='me')");
  expect(await told(mine)).toEqual(await told(theirs));
  expect(await readThere(mine)).toEqual(await readHere(theirs));
  await Table.open(mine).alter.setProperties({ "delta.columnMapping.mode": "name" });
  await sqlOn(mine, "alter table TABLE rename column b to c");
  expect(await readThere(mine)).toEqual(await readHere(mine));
});

test("defaults are set and dropped here and by Spark alike", async () => {
  const [mine, theirs] = await twins("defaults", having("delta.feature.allowColumnDefaults=supported"));
  const both = async (column: string, value: string | null) => {
    await Table.open(mine).alter.changeColumn(column, { default: value });
    await sqlOn(
      theirs,
      `alter table TABLE alter column ${column} ${value === null ? "drop default" : `set default ${value}`}`,
    );
  };
  await both("a", "concat('new', '!')");
  await both("id", "7");
  expect(await told(mine)).toEqual(await told(theirs));
  await sqlOn(mine, "insert into TABLE (id) values (3)");
  await Table.open(theirs).append([{ id: 3 }]);
  await both("a", null);
  await sqlOn(mine, "insert into TABLE (id) values (4)");
  await Table.open(theirs).append([{ id: 4 }]);
  expect(await told(mine)).toEqual(await told(theirs));
  expect(await readThere(mine)).toEqual(await readHere(theirs));
});

test("identity columns go on alike behind values given by hand", async () => {
  const identity = { "delta.identity.start": 10, "delta.identity.step": 3, "delta.identity.allowExplicitInsert": true };
  const columns = [
    { name: "id", type: "long", metadata: identity },
    { name: "a", type: "string" },
  ];
  const paths = [join(folder, "identity-here"), join(folder, "identity-there")] as const;
  for (const path of paths) {
    await (await spark()).request("create", { path, columns });
    await sqlOn(path, "insert into TABLE (a) values ('x')");
    await sqlOn(path, "insert into TABLE values (1001, 'given')");
  }
  const [mine, theirs] = paths;
  await Table.open(mine).alter.syncIdentity("id");
  await sqlOn(theirs, "alter table TABLE alter column id sync identity");
  expect((await told(mine)).schema).toEqual((await told(theirs)).schema);
  await sqlOn(mine, "insert into TABLE (a) values ('y')");
  await Table.open(theirs).append([{ a: "y" }]);
  expect(await readThere(mine)).toEqual(await readHere(theirs));
  expect((await told(mine)).operations).toEqual((await told(theirs)).operations);
});

test.each([
  [1, 3],
  [1, 5],
  [1, 6],
  [2, 3],
  [2, 5],
  [2, 6],
])("version numbers %d, %d mean the same here and to Spark", async (reader, writer) => {
  const [mine, theirs] = await twins(`numbers-${reader}-${writer}`, PLAIN);
  await Table.open(mine).alter.upgradeProtocol({ minReaderVersion: reader, minWriterVersion: writer });
  const numbers = `'delta.minReaderVersion'='${reader}', 'delta.minWriterVersion'='${writer}'`;
  await sqlOn(theirs, `alter table TABLE set tblproperties(${numbers})`);
  expect((await told(mine)).protocol).toEqual((await told(theirs)).protocol);
  await sqlOn(mine, "insert into TABLE values (3, 'z')");
  await Table.open(theirs).append([{ id: 3, a: "z" }]);
  expect(await readThere(mine)).toEqual(await readHere(theirs));
});
