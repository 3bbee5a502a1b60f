/** A table that SQL can't create: columns whose metadata says what they are. */
export interface Creation {
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
  }[];
  readonly partitionBy?: readonly string[];
}

/** A table as Spark makes it, step by step. Each has a whole number `id` as its key, and a checkpoint before its newest version. */
export interface Recipe {
  readonly name: string;
  /** SQL; `TABLE` stands for the table. `checkpoint` has Spark write one of the version that is there. */
  readonly steps: readonly (string | Creation)[];
  /** The table features that some version of it uses. */
  readonly features: readonly string[];
}

const table = (columns: string, properties: Readonly<Record<string, string>> = {}, more = "") => {
  const list = Object.entries(properties).map(([key, value]) => `'${key}' = '${value}'`);
  const options = list.length === 0 ? "" : ` tblproperties (${list.join(", ")})`;
  return `create table TABLE (${columns}) using delta ${more}${options}`;
};

const identity = (start: number, step: number, allowExplicitInsert: boolean) => ({
  "delta.identity.start": start,
  "delta.identity.step": step,
  "delta.identity.allowExplicitInsert": allowExplicitInsert,
});

const TYPES = `cast(id as tinyint) b, cast(id * 100 as smallint) s, cast(-id as int) i, id * 1000000007 l, cast(id / 3 as float) f, id / 7 d,
  cast(id / 11 as decimal(9,4)) small, cast(id as decimal(38,10)) large, concat('text ', id) t, cast(concat('bytes', id) as binary) y, id % 2 = 0 o,
  date_add(date'1582-10-10', cast(id * 1000 as int)) at_day, timestamp_micros(id * 100000000000003) at_time`;
const NESTED = `array(cast(id as int), null) list, map(concat('k', id), named_struct('x', id, 'y', array(id / 2D))) m,
  if(id % 3 = 0, null, named_struct('a', if(id % 4 = 0, null, id), 'b', array(named_struct('c', concat('c', id))))) s`;

/** One for each feature that a reader meets, and for what the log may hold. */
export const RECIPES: readonly Recipe[] = [
  {
    name: "all-types",
    features: [],
    steps: [
      `create table TABLE using delta as select id, ${TYPES} from range(0, 12)`,
      "insert into TABLE (id) values (100)",
      "checkpoint",
      "delete from TABLE where id = 3",
    ],
  },
  {
    name: "nested",
    features: [],
    steps: [
      `create table TABLE using delta as select id, ${NESTED} from range(0, 12)`,
      "update TABLE set list = array(), m = map() where id = 5",
      "checkpoint",
      "alter table TABLE add column s.late string",
      "insert into TABLE select 100, null, null, named_struct('a', 1L, 'b', null, 'late', 'new')",
    ],
  },
  {
    name: "partitions",
    features: [],
    steps: [
      table(
        "id bigint, t string, d date, n decimal(6,2), at timestamp, o boolean, f double",
        {},
        "partitioned by (t, d, n, at, o, f)",
      ),
      `insert into TABLE values (1, 'a b/c%d=e:f', date'0001-01-01', -1.50, timestamp'2024-02-29 12:34:56.123456', true, -0.0D),
        (2, '', date'9999-12-31', 0.00, timestamp'1969-12-31 23:59:59', false, double('NaN')),
        (3, null, null, null, null, null, null), (4, 'x=y', date'2024-01-01', 9999.99, timestamp'0001-01-01 00:00:00', true, double('-Infinity'))`,
      "checkpoint",
      "delete from TABLE where id = 2",
    ],
  },
  {
    name: "deletion-vectors",
    features: ["deletionVectors"],
    steps: [
      table("id bigint, v string", { "delta.enableDeletionVectors": "true" }),
      "insert into TABLE select /*+ repartition(1) */ id, concat('v', id) from range(0, 5000)",
      "delete from TABLE where id % 5 = 1",
      "checkpoint",
      "update TABLE set v = 'updated' where id % 1000 = 0",
      "delete from TABLE where id < 4900",
    ],
  },
  ...(["name", "id"] as const).map((mode) => ({
    name: `column-mapping-${mode}`,
    features: ["columnMapping"],
    steps: [
      table(
        "id bigint, part string, s struct<a: int, b: string>, v string",
        { "delta.columnMapping.mode": mode },
        "partitioned by (part)",
      ),
      "insert into TABLE select id, cast(id % 2 as string), named_struct('a', cast(id as int), 'b', concat('b', id)), concat('v', id) from range(0, 10)",
      "alter table TABLE rename column v to w",
      "alter table TABLE rename column s.a to c",
      "checkpoint",
      "alter table TABLE drop column s.b",
      "alter table TABLE add column v double",
      "insert into TABLE select 20 + id, '2', named_struct('c', cast(id as int)), 'late', id / 2 from range(0, 3)",
      "alter table TABLE rename column part to folder",
    ],
  })),
  {
    name: "type-widening",
    features: ["typeWidening", "timestampNtz"],
    steps: [
      table("id bigint, b tinyint, i int, f float, n decimal(5,2), day date, list array<smallint>", {
        "delta.enableTypeWidening": "true",
        "delta.feature.timestampNtz": "supported",
      }),
      "insert into TABLE select id, cast(id as tinyint), cast(id * 7 as int), cast(id / 4 as float), cast(id / 4 as decimal(5,2)), date_add(date'1900-01-01', cast(id as int)), array(cast(id as smallint)) from range(0, 6)",
      "alter table TABLE change column b type int",
      "alter table TABLE change column i type bigint",
      "alter table TABLE change column f type double",
      "checkpoint",
      "alter table TABLE change column n type decimal(12,4)",
      "alter table TABLE change column day type timestamp_ntz",
      "alter table TABLE change column list.element type bigint",
      "insert into TABLE values (9, 100000, 5000000000, 0.1D, 12345678.1234, timestamp_ntz'2024-01-01 01:02:03', array(5000000000))",
    ],
  },
  {
    name: "timestamp-ntz",
    features: ["timestampNtz"],
    steps: [
      table("id bigint, at timestamp_ntz, zone timestamp"),
      "insert into TABLE values (1, timestamp_ntz'2024-03-31 02:30:00.000001', timestamp'2024-03-31 02:30:00'), (2, null, null), (3, timestamp_ntz'0001-01-01 00:00:00', timestamp'9999-12-31 23:59:59.999999')",
      "checkpoint",
      "insert into TABLE values (4, timestamp_ntz'1969-12-31 23:59:59', null)",
    ],
  },
  {
    name: "variant",
    features: ["variantType"],
    steps: [
      table("id bigint, v variant"),
      `insert into TABLE select 1, parse_json('{"a": 1, "b": [true, null, "x", 2.25], "c": {"d": {}}}') union all select 2, cast(date'2024-01-01' as variant)`,
      "checkpoint",
      "insert into TABLE select 3, null union all select 4, parse_json('[]')",
    ],
  },
  ...(["classic", "v2"] as const).map((policy) => ({
    name: `checkpoint-${policy}`,
    features: policy === "v2" ? ["v2Checkpoint"] : [],
    steps: [
      table("id bigint, v string", {
        "delta.checkpointPolicy": policy,
        "delta.checkpointInterval": "3",
        "delta.enableDeletionVectors": "true",
      }),
      ...[0, 1, 2, 3, 4, 5].map(
        (n) => `insert into TABLE select /*+ repartition(1) */ ${10 * n} + id, 'v' from range(0, 10)`,
      ),
      "delete from TABLE where id % 10 = 4",
    ],
  })),
  {
    name: "struct-statistics-only",
    features: [],
    steps: [
      table(
        "id bigint, part string, n decimal(10,2), at timestamp",
        {
          "delta.checkpoint.writeStatsAsJson": "false",
          "delta.checkpoint.writeStatsAsStruct": "true",
        },
        "partitioned by (part)",
      ),
      "insert into TABLE select id, 'a', cast(id / 4 as decimal(10,2)), timestamp_micros(id * 1000000007) from range(0, 10)",
      "insert into TABLE select 100 + id, 'b', null, null from range(0, 10)",
      "checkpoint",
      "delete from TABLE where id = 105",
    ],
  },
  {
    name: "in-commit-timestamps",
    features: ["inCommitTimestamp"],
    steps: [
      table("id bigint"),
      "insert into TABLE values (1)",
      "alter table TABLE set tblproperties ('delta.enableInCommitTimestamps' = 'true')",
      "checkpoint",
      "insert into TABLE values (2)",
      "alter table TABLE unset tblproperties ('delta.enableInCommitTimestamps')",
    ],
  },
  {
    name: "row-tracking-and-clustering",
    features: ["rowTracking", "clustering", "domainMetadata"],
    steps: [
      table("id bigint, v string", { "delta.enableRowTracking": "true" }, "cluster by (id)"),
      "insert into TABLE select id, concat('v', id) from range(0, 20)",
      "update TABLE set v = 'updated' where id = 7",
      "checkpoint",
      "optimize TABLE",
      "delete from TABLE where id = 3",
    ],
  },
  {
    name: "change-data-feed",
    features: ["changeDataFeed"],
    steps: [
      table("id bigint, v string", { "delta.enableChangeDataFeed": "true" }),
      "insert into TABLE select id, 'v' from range(0, 6)",
      "update TABLE set v = 'w' where id < 2",
      "checkpoint",
      "merge into TABLE t using (select id from range(5, 8)) s on t.id = s.id when matched then delete when not matched then insert (id, v) values (s.id, 'm')",
    ],
  },
  {
    name: "constraints-and-defaults",
    features: ["checkConstraints", "allowColumnDefaults"],
    steps: [
      table("id bigint not null, v int, day date", {
        "delta.feature.allowColumnDefaults": "supported",
      }),
      "alter table TABLE alter column v set default 42",
      "alter table TABLE add constraint positive check (v > 0)",
      "insert into TABLE (id, day) values (1, date'2024-05-06')",
      "checkpoint",
      "insert into TABLE (id, v, day) values (2, 7, date'1999-12-31')",
    ],
  },
  {
    name: "char-and-varchar",
    features: [],
    steps: [
      // What files hold, not what Spark makes of it.
      "set spark.sql.readSideCharPadding=false",
      table("id bigint, c char(5), vc varchar(10), s struct<c: varchar(3)>"),
      "insert into TABLE values (1, 'ab', 'xyz', named_struct('c', 'abc')), (2, null, '', null)",
      "checkpoint",
      "insert into TABLE (id, c) values (3, 'x')",
    ],
  },
  {
    name: "iceberg-compatible",
    features: ["icebergCompatV2", "columnMapping"],
    steps: [
      table("id bigint, list array<int>", {
        "delta.columnMapping.mode": "name",
        "delta.enableIcebergCompatV2": "true",
      }),
      "insert into TABLE select id, array(cast(id as int)) from range(0, 5)",
      "checkpoint",
      "insert into TABLE values (9, null)",
    ],
  },
  {
    name: "restored-and-optimized",
    features: [],
    steps: [
      table("id bigint, v string"),
      ...[0, 1, 2].map((n) => `insert into TABLE select ${n}, 'v${n}'`),
      "optimize TABLE",
      "checkpoint",
      "restore table TABLE to version as of 2",
      "delete from TABLE",
      "insert overwrite TABLE values (7, 'again')",
    ],
  },
  {
    name: "identity-columns",
    features: ["identityColumns"],
    steps: [
      {
        columns: [
          { name: "id", type: "long", metadata: identity(10, 5, false) },
          { name: "counted", type: "long", metadata: identity(-1, -1, true) },
          { name: "v", type: "string" },
        ],
      },
      "insert into TABLE (v) values ('a'), ('b')",
      "checkpoint",
      "insert into TABLE (counted, v) values (1000, 'c')",
      "merge into TABLE t using (select 'z' v) s on t.v = s.v when not matched then insert (v) values (s.v)",
    ],
  },
  {
    name: "generated-columns",
    features: ["generatedColumns"],
    steps: [
      {
        columns: [
          { name: "id", type: "long" },
          { name: "at", type: "timestamp" },
          { name: "day", type: "date", metadata: { "delta.generationExpression": "cast(at as date)" } },
          { name: "twice", type: "long", metadata: { "delta.generationExpression": "id * 2" } },
        ],
        partitionBy: ["day"],
      },
      "insert into TABLE (id, at) values (1, timestamp'2024-05-06 23:59:59.999999'), (2, null)",
      "checkpoint",
      "update TABLE set id = 5 where id = 1",
    ],
  },
  {
    name: "invariants",
    features: ["invariants"],
    steps: [
      {
        columns: [
          { name: "id", type: "long", metadata: { "delta.invariants": '{"expression":{"expression":"id > 0"}}' } },
          { name: "v", type: "string" },
        ],
      },
      "insert into TABLE values (1, 'a')",
      "checkpoint",
      "insert into TABLE values (2, null)",
    ],
  },
  {
    name: "append-only",
    features: ["appendOnly"],
    steps: [
      table("id bigint", { "delta.appendOnly": "true" }),
      "insert into TABLE values (1)",
      "checkpoint",
      "insert into TABLE values (2)",
    ],
  },
  {
    name: "checkpoint-protection",
    features: ["checkpointProtection", "vacuumProtocolCheck"],
    steps: [
      table("id bigint", { "delta.feature.vacuumProtocolCheck": "supported" }),
      "insert into TABLE values (1)",
      "checkpoint",
      "alter table TABLE drop feature vacuumProtocolCheck",
      "insert into TABLE values (2)",
    ],
  },
  {
    name: "iceberg-compatible-1",
    features: ["icebergCompatV1", "columnMapping"],
    steps: [
      table(
        "id bigint, part int, s struct<a: int>",
        {
          "delta.columnMapping.mode": "name",
          "delta.enableIcebergCompatV1": "true",
        },
        "partitioned by (part)",
      ),
      "insert into TABLE values (1, 2, named_struct('a', 3)), (2, null, null)",
      "checkpoint",
      "alter table TABLE rename column s.a to b",
      "insert into TABLE values (3, 2, named_struct('b', 4))",
    ],
  },
  {
    name: "features-in-preview",
    features: ["typeWidening-preview", "variantType-preview"],
    steps: [
      table("id bigint, b tinyint, v variant", {
        "delta.feature.typeWidening-preview": "supported",
        "delta.enableTypeWidening": "true",
        "delta.feature.variantType-preview": "supported",
      }),
      `insert into TABLE values (1, 1, parse_json('{"a": 1}'))`,
      "checkpoint",
      "alter table TABLE alter column b type int",
      "insert into TABLE values (2, 100000, null)",
    ],
  },
  {
    name: "shredded-variants",
    features: ["variantShredding-preview", "variantType"],
    steps: [
      "set spark.sql.variant.allowReadingShredded=true",
      table("id bigint, v variant", { "delta.enableVariantShredding": "true" }),
      "set spark.sql.variant.writeShredding.enabled=true",
      "set spark.sql.variant.forceShreddingSchemaForTest=a bigint, b struct<c string>",
      `insert into TABLE values (1, parse_json('{"a": 1, "b": {"c": "x", "d": null}}')), (2, parse_json('{"a": "no number"}')), (3, null)`,
      "reset spark.sql.variant.forceShreddingSchemaForTest",
      "reset spark.sql.variant.writeShredding.enabled",
      "checkpoint",
      `insert into TABLE values (4, parse_json('[1, {"a": 1}]'))`,
    ],
  },
];

/** Features that Spark's Delta knows and these tables can't use, and why. */
export const UNMADE: Readonly<Record<string, string>> = {
  "catalogOwned-preview": "a catalog makes the commits",
  "coordinatedCommits-preview": "a coordinator makes the commits",
};
