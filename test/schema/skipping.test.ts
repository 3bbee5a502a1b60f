import { describe, expect, test } from "vitest";
import { schemaOf } from "#src/schema/literal.js";
import { serializePartitionValue } from "#src/schema/partition.js";
import type { Literal, Predicate } from "#src/schema/predicate.js";
import { type FileMatch, fileFilter } from "#src/schema/skipping.js";
import type { DataType } from "#src/schema/types.js";
import { resolveWhere, type Where } from "#src/schema/where.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { evaluateRow, type LiteralRow } from "./evaluateRow.js";
import { literalsOf } from "./values.js";
import { anyStyle, statisticsOf } from "./writers.js";

const schema = schemaOf({
  part: "timestamp",
  kind: "string",
  l: "long",
  b: "byte",
  x: "double",
  f: "float",
  p: "decimal(10,2)",
  q: "decimal(38,10)",
  s: "string",
  ok: "boolean",
  d: "date",
  t: "timestamp",
  n: "timestamp_ntz",
  raw: "binary",
  a: { s: "string", x: "double", in: { l: "long" } },
});
const partitionColumns = ["part", "kind"];
const dataSchema = { ...schema, fields: schema.fields.filter(({ name }) => !partitionColumns.includes(name)) };
const paths: readonly (readonly [readonly string[], DataType])[] = [
  ...schema.fields.filter(({ type }) => typeof type === "string").map(({ name, type }) => [[name], type] as const),
  [["a", "s"], "string"],
  [["a", "x"], "double"],
  [["a", "in", "l"], "long"],
];

type Values = Record<string, Literal | null>;

const nullable = (type: DataType) => fc.option(literalsOf(type), { freq: 4 });
const scalars = (names: readonly (readonly [string, DataType])[]) =>
  fc.record(Object.fromEntries(names.map(([name, type]) => [name, nullable(type)])));
const anyRow: fc.Arbitrary<LiteralRow> = fc
  .tuple(
    scalars(dataSchema.fields.flatMap(({ name, type }) => (typeof type === "string" ? [[name, type] as const] : []))),
    fc.option(
      fc
        .tuple(
          scalars([
            ["s", "string"],
            ["x", "double"],
          ]),
          fc.option(scalars([["l", "long"]]), { freq: 4 }),
        )
        .map(([leaves, inner]): LiteralRow => ({ ...leaves, in: inner })),
      { freq: 4 },
    ),
  )
  .map(([leaves, a]) => ({ ...leaves, a }));

/** Values for predicates: often one that a row has, which is where bounds go wrong. */
function anyPredicate(rows: readonly LiteralRow[]): fc.Arbitrary<Predicate> {
  const leaf = fc.constantFrom(...paths).chain(([column, type]): fc.Arbitrary<Predicate> => {
    const own = rows.map((row) => valueAt(row, column)).filter((value): value is Literal => value !== null);
    const value = own.length > 0 ? fc.oneof(fc.constantFrom(...own), literalsOf(type)) : literalsOf(type);
    const tests: fc.Arbitrary<Predicate>[] = [
      fc.record({ op: fc.constantFrom("=", "!=", "<", "<=", ">", ">="), column: fc.constant(column), value }),
      fc.record({ op: fc.constant("in"), column: fc.constant(column), values: fc.array(value, { maxLength: 3 }) }),
      fc.constant({ op: "isNull", column }),
    ];
    if (type === "string") {
      const prefix = fc.tuple(value as fc.Arbitrary<string>, fc.nat(34)).map(([s, n]) => [...s].slice(0, n).join(""));
      tests.push(fc.record({ op: fc.constant("startsWith"), column: fc.constant(column), value: prefix }));
    }
    return fc.oneof(...tests);
  });
  return fc.letrec<{ predicate: Predicate }>((tie) => ({
    predicate: fc.oneof(
      { maxDepth: 3 },
      { weight: 4, arbitrary: leaf },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("not"), term: tie("predicate") }) },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constantFrom("and", "or"),
          terms: fc.array(tie("predicate"), { minLength: 1, maxLength: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("constant"), value: fc.constantFrom(true, false, null) }) },
    ),
  })).predicate;
}

function valueAt(row: LiteralRow, path: readonly string[]): Literal | null {
  return path.reduce<unknown>((value, name) => (value === null ? null : (value as LiteralRow)[name]), row) as Literal;
}

test("[R-STAT-1] no writer's statistics make a file be left out, or taken whole, wrongly", () => {
  const partition = scalars([
    ["part", "timestamp"],
    ["kind", "string"],
  ]);
  const file = fc
    .tuple(fc.array(anyRow, { maxLength: 4 }), fc.array(anyRow, { maxLength: 2 }), partition)
    .map(([rows, deleted, values]): { rows: LiteralRow[]; deleted: LiteralRow[]; values: Values } => ({
      rows,
      deleted,
      values: { ...values, kind: values.kind || null },
    }));
  const seen: Record<FileMatch, number> = { none: 0, all: 0, some: 0 };
  fc.assert(
    fc.property(
      file.chain((f) => {
        const rows = f.rows.map((row) => ({ ...row, ...f.values }));
        return fc.record({
          file: fc.constant(f),
          rows: fc.constant(rows),
          predicate: anyPredicate(rows),
          style: anyStyle,
        });
      }),
      ({ file: { deleted, values }, rows, predicate, style }) => {
        const counted = style.wide ? [...rows, ...deleted] : rows;
        const match = fileFilter(
          predicate,
          schema,
          partitionColumns,
        )({
          partitionValues: (column) =>
            serializePartitionValue(column === "part" ? "timestamp" : "string", values[column]!),
          stats: statisticsOf(counted, dataSchema, style),
        });
        const passing = rows.filter((row) => evaluateRow(predicate, row) === true).length;
        if (match === "none") expect(passing).toBe(0);
        if (match === "all") expect(passing).toBe(rows.length);
        seen[match]++;
      },
    ),
    { numRuns: 4000 },
  );
  // A filter that always says "some" would pass otherwise.
  expect(seen.none).toBeGreaterThan(300);
  expect(seen.all).toBeGreaterThan(100);
});

function matchOf(where: Where, stats: unknown, partition: Record<string, string | null> = {}): FileMatch {
  const filter = fileFilter(resolveWhere(where, schema), schema, partitionColumns);
  const text = stats === null || typeof stats === "string" ? stats : JSON.stringify(stats);
  return filter({ partitionValues: (column) => partition[column] ?? null, stats: text });
}

const stats = (column: string, min: unknown, max: unknown, nulls = 0, numRecords = 10) => ({
  numRecords,
  minValues: { [column]: min },
  maxValues: { [column]: max },
  nullCount: { [column]: nulls },
});

describe("what statistics decide", () => {
  test.each<[Where, unknown, FileMatch]>([
    [{ l: { gt: 9 } }, stats("l", 1, 9), "none"],
    [{ l: { gte: 9 } }, stats("l", 1, 9), "some"],
    [{ l: { gte: 1 } }, stats("l", 1, 9), "all"],
    [{ l: { gte: 1 } }, stats("l", 1, 9, 1), "some"],
    [{ l: 5 }, stats("l", 5, 5), "all"],
    [{ l: { ne: 5 } }, stats("l", 5, 5, 3), "none"],
    [{ l: { in: [0, 10] } }, stats("l", 1, 9), "none"],
    [{ l: { notIn: [5, 6] } }, stats("l", 5, 5), "none"],
    [{ $not: { l: { lt: 10 } } }, stats("l", 1, 9, 2), "none"],
    [{ $not: { $or: [{ l: 5 }, { l: null }] } }, stats("l", 6, 9), "all"],
    [{ l: null }, stats("l", 1, 9, 0), "none"],
    [{ l: null }, stats("l", null, null, 10), "all"],
    [{ l: { ne: null } }, stats("l", 1, 9, 0), "all"],
    [{ l: { gt: 0 } }, stats("l", null, null, 10), "none"],
    [{ l: 1 }, { ...stats("l", 1, 9), numRecords: 0 }, "none"],
    [{ ok: true }, stats("ok", false, false), "none"],
    [{ d: { lt: "2024-01-01" } }, stats("d", "2024-01-01", "2024-02-01"), "none"],
    [
      { p: { gt: "99.99" } },
      '{"numRecords":1,"minValues":{"p":1.00},"maxValues":{"p":99.99},"nullCount":{"p":0}}',
      "none",
    ],
    [{ "a.s": "x" }, { numRecords: 1, minValues: { a: { s: "a" } }, maxValues: { a: { s: "b" } } }, "none"],
    [{ "a.in.l": { gt: 5 } }, { numRecords: 2, nullCount: { a: { in: { l: 2 } } } }, "none"],
  ])("%j", (where, file, match) => expect(matchOf(where, file)).toBe(match));
});

describe("strings", () => {
  const long = "x".repeat(32);

  test("[R-STAT-2] a maximum that may be cut leaves room for what it was cut from", () => {
    expect(matchOf({ s: `${long}abc` }, stats("s", "a", long))).toBe("some");
    expect(matchOf({ s: { gt: long } }, stats("s", "a", long))).toBe("some");
    expect(matchOf({ s: long }, stats("s", long, long))).toBe("some");
    expect(matchOf({ s: { gt: "y" } }, stats("s", "a", long))).toBe("none");
    expect(matchOf({ s: { gt: "xyz" } }, stats("s", "a", "xyz"))).toBe("none");
  });

  test("prefixes", () => {
    expect(matchOf({ s: { startsWith: "b" } }, stats("s", "c", "d"))).toBe("none");
    expect(matchOf({ s: { startsWith: "e" } }, stats("s", "c", "d"))).toBe("none");
    expect(matchOf({ s: { startsWith: "ca" } }, stats("s", "cab", "d"))).toBe("some");
    expect(matchOf({ s: { startsWith: "c" } }, stats("s", "ca", "cz"))).toBe("all");
    expect(matchOf({ $not: { s: { startsWith: "c" } } }, stats("s", "ca", "cz", 4))).toBe("none");
  });

  test("are ordered by their bytes", () => {
    expect(matchOf({ s: "\u{1F600}" }, stats("s", "a", "\uFFFD"))).toBe("none");
    expect(matchOf({ s: "\uFFFD" }, stats("s", "a", "\u{1F600}"))).toBe("some");
  });
});

describe("floats", () => {
  test("NaN, greatest of all, may hide above the maximum", () => {
    expect(matchOf({ x: { gt: 100 } }, stats("x", 1, 9))).toBe("some");
    expect(matchOf({ x: Number.NaN }, stats("x", 1, 9))).toBe("some");
    expect(matchOf({ x: { lte: 100 } }, stats("x", 1, 9))).toBe("some");
    expect(matchOf({ x: { ne: 5 } }, stats("x", 5, 5))).toBe("some");
    expect(matchOf({ x: { gt: 100 } }, stats("x", "NaN", "NaN"))).toBe("some");
  });

  test("but not where the rest of the condition rejects it", () => {
    expect(matchOf({ x: { between: [100, 200] } }, stats("x", 1, 9))).toBe("none");
    expect(matchOf({ x: { gt: 100, lt: Infinity } }, stats("x", 1, 9))).toBe("none");
    expect(matchOf({ x: { in: [100, 200] }, f: { gt: 1 } }, stats("x", 1, 9))).toBe("none");
    expect(matchOf({ x: { lte: 200 }, $or: [{ x: { gt: 100 } }, { l: 1 }] }, stats("x", 1, 9))).toBe("some");
  });

  test("the minimum bounds them all", () => {
    expect(matchOf({ x: { lt: 1 } }, stats("x", 1, 9))).toBe("none");
    expect(matchOf({ x: { gte: 1 } }, stats("x", 1, 9))).toBe("all");
    expect(matchOf({ x: { lt: 0 } }, '{"numRecords":1,"minValues":{"x":-0.0},"maxValues":{"x":-0.0}}')).toBe("none");
    expect(matchOf({ f: 0.1 }, stats("f", 0.2, 0.3))).toBe("none");
    expect(matchOf({ f: 0.1 }, stats("f", 0.1, 0.1))).toBe("some");
  });
});

test("timestamps are cut to milliseconds", () => {
  const file = stats("t", "2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.123Z");
  expect(matchOf({ t: "2024-01-01T00:00:00.123456Z" }, file)).toBe("some");
  expect(matchOf({ t: { gt: "2024-01-01T00:00:00.124Z" } }, file)).toBe("none");
  expect(matchOf({ t: { lte: "2024-01-01T00:00:00.123Z" } }, file)).toBe("some");
  expect(matchOf({ t: { lt: "2024-01-01T08:00:00Z" } }, stats("t", "2024-01-01T00:00:00.000-08:00", null))).toBe(
    "none",
  );
  // Without a zone it isn't known which instant is meant.
  expect(matchOf({ t: { gt: "2025-01-01" } }, stats("t", "2024-01-01 00:00:00", "2024-01-01 00:00:00"))).toBe("some");
  expect(matchOf({ n: { gt: "2025-01-01" } }, stats("n", "2024-01-01T00:00:00.000", "2024-01-01T00:00:00.000"))).toBe(
    "none",
  );
});

test("long numbers are read with all their digits", () => {
  const of = (column: string, min: string, max = min) =>
    `{"numRecords":1,"minValues":{"${column}":${min},"s":"1234567890123456789 \\" 1234567890123456789"},"maxValues":{"${column}":${max}},"nullCount":{"${column}":0}}`;
  expect(matchOf({ l: 9007199254740993n }, of("l", "9007199254740992"))).toBe("none");
  expect(matchOf({ l: 9007199254740993n }, of("l", "9007199254740993"))).toBe("all");
  expect(matchOf({ l: { lt: -9223372036854775807n } }, of("l", "-9223372036854775808", "0"))).toBe("some");
  expect(matchOf({ q: { gt: "9999999999.9999999999" } }, of("q", "0E-10", "3333333333.3333333333"))).toBe("none");
  expect(matchOf({ s: { lt: "1234567890123456789" } }, of("l", "1234567890123456789"))).toBe("none");
});

test("[R-STAT-3] wide bounds decide too, but a null count in between says nothing", () => {
  const wide = { ...stats("l", 1, 9, 4), tightBounds: false };
  expect(matchOf({ l: { gt: 9 } }, wide)).toBe("none");
  expect(matchOf({ l: null }, wide)).toBe("some");
});

describe("[R-STAT-4] bounds of a column in which all is null", () => {
  const leftovers: [number, number][] = [
    [5, 5],
    [1, 9],
    [9, 1],
  ];

  test.each(leftovers)("from %d to %d are no values: no row compares with anything", (min, max) => {
    const file = stats("l", min, max, 10);
    for (const tightBounds of [true, false]) {
      const ask = (where: Where) => matchOf(where, { ...file, tightBounds });
      expect(ask({ l: null })).toBe("all");
      expect(ask({ l: { isNull: false } })).toBe("none");
      expect(ask({ l: { notIn: [7] } })).toBe("none");
      for (const condition of [{ eq: 5 }, { ne: 5 }, { lte: 9 }, { gte: 1 }, { in: [5] }]) {
        expect(ask({ l: condition })).toBe("none");
        expect(ask({ $not: { l: condition } })).toBe("none");
        expect(ask({ $or: [{ l: null }, { l: condition }] })).toBe("all");
      }
    }
  });

  test.each(leftovers)("from %d to %d don't tell that there is a value, where nobody counted nulls", (min, max) => {
    const { nullCount: _, ...uncounted } = stats("l", min, max);
    for (const file of [uncounted, { ...stats("l", min, max, 4), tightBounds: false }]) {
      expect(matchOf({ l: null }, file)).toBe("some");
      expect(matchOf({ l: { isNull: false } }, file)).toBe("some");
      expect(matchOf({ l: { gte: 1 } }, file)).not.toBe("all");
    }
  });

  test("may be of any form", () => {
    for (const bound of ["", "z", {}, [], true, Number.MAX_VALUE]) {
      expect(matchOf({ l: null }, stats("l", bound, bound, 10))).toBe("all");
      expect(matchOf({ l: 5 }, stats("l", bound, bound, 10))).toBe("none");
    }
  });
});

test("[R-STAT-5] bounds are tight where nobody says: then a null count in between says that some aren't null", () => {
  const tight = stats("l", 1, 9, 4);
  expect(matchOf({ l: null }, tight)).toBe("some");
  expect(matchOf({ l: { lte: 9 } }, tight)).toBe("some");
  expect(matchOf({ l: { lte: 9 } }, stats("l", 1, 9, 0))).toBe("all");
});

test.each<[string, unknown]>([
  ["missing", null],
  ["empty", ""],
  ["no JSON", "{"],
  ["no object", "5"],
  ["null", "null"],
  ["without the column", stats("b", 1, 2)],
  ["of another type", { ...stats("l", "x", true), nullCount: { l: "0" } }],
  ["of another shape", { numRecords: 1, minValues: [1], maxValues: 7, nullCount: "no" }],
  ["with counts that are none", { numRecords: -1, nullCount: { l: -1 } }],
])("statistics that are %s decide nothing", (_, file) => {
  expect(matchOf({ l: 5 }, file)).toBe("some");
  expect(matchOf({ l: null }, file)).toBe("some");
});

describe("partition values", () => {
  test("decide exactly, without statistics", () => {
    expect(matchOf({ kind: "a" }, null, { kind: "a" })).toBe("all");
    expect(matchOf({ kind: "b" }, null, { kind: "a" })).toBe("none");
    expect(matchOf({ kind: null }, null, { kind: null })).toBe("all");
    expect(matchOf({ kind: null }, null, { kind: "" })).toBe("all");
    expect(matchOf({ kind: { ne: "a" } }, null, { kind: null })).toBe("none");
    expect(matchOf({ part: "2024-01-01T10:00:00Z" }, null, { part: "2024-01-01 10:00:00" })).toBe("all");
  });

  test("are asked first: statistics are parsed only if they leave the question open", () => {
    const filter = fileFilter(resolveWhere({ l: 1, kind: "a" }, schema), schema, partitionColumns);
    const parsed: string[] = [];
    const file = (kind: string) => ({
      partitionValues: () => kind,
      get stats() {
        parsed.push(kind);
        return null;
      },
    });
    expect(filter(file("b"))).toBe("none");
    expect(filter(file("a"))).toBe("some");
    expect(parsed).toEqual(["a"]);
  });

  test("without a zone are in the given one", () => {
    const where = resolveWhere({ part: "2024-01-01T18:00:00Z" }, schema);
    const filter = fileFilter(where, schema, partitionColumns, { timeZone: "America/Los_Angeles" });
    expect(filter({ partitionValues: () => "2024-01-01 10:00:00", stats: null })).toBe("all");
  });

  test("that are none of the type are an error", async () => {
    const error = await expectCode("DELTA_LOG_CORRUPT", () => matchOf({ part: "2024-01-01" }, null, { part: "soon" }));
    expect(error.data).toMatchObject({ column: "part", value: "soon" });
  });
});

test("an opaque term leaves the question open, the others still decide", () => {
  const opaque: Predicate = { op: "opaque", text: "", columns: [], evaluate: () => Promise.reject() };
  const with5 = (op: "and" | "or"): Predicate => ({ op, terms: [opaque, { op: "=", column: ["l"], value: 5n }] });
  const ask = (predicate: Predicate, min: number) =>
    fileFilter(predicate, schema, [])({ partitionValues: () => null, stats: JSON.stringify(stats("l", min, min)) });
  expect(ask(with5("and"), 6)).toBe("none");
  expect(ask(with5("and"), 5)).toBe("some");
  expect(ask(with5("or"), 5)).toBe("all");
  expect(ask({ op: "not", term: with5("or") }, 5)).toBe("none");
});

describe("a column whose files may have been written under another type [R-TW-2]", () => {
  const fieldOf = (type: DataType, metadata: Record<string, unknown>) => ({
    type: "struct" as const,
    fields: [{ name: "x", type, nullable: true, metadata }],
  });
  const stats = (min: string, max: string) =>
    `{"numRecords":2,"minValues":{"x":${min}},"maxValues":{"x":${max}},"nullCount":{"x":0}}`;
  const matchOf = (table: ReturnType<typeof fieldOf>, where: Where, text: string) =>
    fileFilter(resolveWhere(where, table), table, [])({ partitionValues: () => null, stats: text });
  const changed = (fromType: string, toType: string) => ({ "delta.typeChanges": [{ fromType, toType }] });

  test("a float's text stands for the float, which as a double is more or less than it", () => {
    const widened = fieldOf("double", changed("float", "double"));
    // The float nearest to 0.1 is 0.10000000149011612, the one nearest to 0.7 is 0.699999988079071.
    expect(matchOf(widened, { x: { gt: 0.1 } }, stats("0.05", "0.1"))).toBe("some");
    expect(matchOf(widened, { x: { lt: 0.7 } }, stats("0.7", "0.9"))).toBe("some");
    expect(matchOf(widened, { x: { gt: 0.11 } }, stats("0.05", "0.1"))).toBe("some");
    expect(matchOf(widened, { x: { lt: 0.69 } }, stats("0.7", "0.9"))).toBe("none");
    expect(matchOf(fieldOf("double", {}), { x: { lt: 0.7 } }, stats("0.7", "0.9"))).toBe("none");
  });

  test.each<[DataType, string, Where, Where, string, string]>([
    ["long", "byte", { x: { gt: 127n } }, { x: { gt: 126n } }, "-3", "127"],
    ["double", "integer", { x: { lt: -3 } }, { x: { lt: -2 } }, "-3", "7"],
    ["decimal(12,2)", "integer", { x: { lt: "-3" } }, { x: { lt: "-2.99" } }, "-3", "7"],
    ["decimal(12,4)", "decimal(6,2)", { x: { gt: "1.5099" } }, { x: { gt: "1.4999" } }, "1.25", "1.50"],
    ["timestamp_ntz", "date", { x: { lt: "2024-01-31" } }, { x: { lt: "2024-02-01" } }, '"2024-01-31"', '"2024-02-03"'],
  ])("a %s has the bounds of a %s", (type, from, never, maybe, min, max) => {
    const table = fieldOf(type, changed(from, type as string));
    expect(matchOf(table, never, stats(min, max))).toBe("none");
    expect(matchOf(table, maybe, stats(min, max))).toBe("some");
  });

  test("under a collation the order of texts is another", () => {
    const collated = fieldOf("string", { __COLLATIONS: { x: "icu.UNICODE_CI" } });
    expect(matchOf(collated, { x: "b" }, stats('"C"', '"a"'))).toBe("some");
    expect(matchOf(collated, { x: null }, stats('"C"', '"a"'))).toBe("none");
  });
});
