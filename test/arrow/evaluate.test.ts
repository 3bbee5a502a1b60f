import assert from "node:assert/strict";
import type { RecordBatch } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { evaluatePredicate } from "#src/arrow/evaluate.js";
import type { Row } from "#src/arrow/rows.js";
import { sliceBatch } from "#src/arrow/take.js";
import { Timestamp } from "#src/arrow/timestamp.js";
import type { Literal, Predicate } from "#src/schema/predicate.js";
import type { DataType, StructType } from "#src/schema/types.js";
import fc from "../fastCheck.js";
import { flatSchemas, tables, values } from "./arbitrary.js";

/** A value of a row in the domain of predicates' literals. */
function toLiteral(type: DataType, value: unknown): Literal {
  if (type === "date") return (value as Date).getTime() / 86_400_000;
  if (type === "timestamp" || type === "timestamp_ntz") {
    if (typeof value === "bigint") return value;
    return value instanceof Timestamp ? value.toMicroseconds() : BigInt((value as Date).getTime()) * 1000n;
  }
  if (typeof type === "string" && type.startsWith("decimal")) return BigInt((value as string).replace(".", ""));
  return value as Literal;
}

function compare(a: Literal, b: Literal): number {
  if (typeof a === "string" || a instanceof Uint8Array) {
    return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The row-wise model: true, false or null. */
function truth(predicate: Predicate, schema: StructType, row: Row): boolean | null {
  if ("terms" in predicate) {
    const decisive = predicate.op === "or";
    const terms = predicate.terms.map((term) => truth(term, schema, row));
    return terms.includes(decisive) ? decisive : terms.includes(null) ? null : !decisive;
  }
  if (predicate.op === "not") {
    const inner = truth(predicate.term, schema, row);
    return inner === null ? null : !inner;
  }
  if (predicate.op === "constant") return predicate.value;
  if (predicate.op === "opaque") return null;
  const [name] = predicate.column;
  const value = row[name];
  if (predicate.op === "isNull") return value === null;
  if (value === null) return null;
  const own = toLiteral(schema.fields.find((field) => field.name === name)!.type, value);
  if (predicate.op === "startsWith") return (own as string).startsWith(predicate.value);
  if ("values" in predicate) return predicate.values.some((other) => compare(own, other) === 0);
  const order = compare(own, predicate.value);
  return {
    "=": order === 0,
    "!=": order !== 0,
    "<": order < 0,
    "<=": order <= 0,
    ">": order > 0,
    ">=": order >= 0,
  }[predicate.op];
}

function predicates(schema: StructType): fc.Arbitrary<Predicate> {
  const leaf = fc.constantFrom(...schema.fields).chain(({ name, type }): fc.Arbitrary<Predicate> => {
    const literal = values(type, false).map((value) => toLiteral(type, value));
    const column = [name];
    const forms: fc.Arbitrary<Predicate>[] = [
      fc.constant({ op: "isNull", column }),
      fc.record({ op: fc.constantFrom("=", "!=", "<", "<=", ">", ">="), column: fc.constant(column), value: literal }),
      fc.record({ op: fc.constant("in"), column: fc.constant(column), values: fc.array(literal, { maxLength: 8 }) }),
    ];
    if (type === "string") {
      const value = fc.constantFrom("", "a", "é", "aa", "😀");
      forms.push(fc.record({ op: fc.constant("startsWith"), column: fc.constant(column), value }));
    }
    return fc.oneof(...forms);
  });
  const constant = fc.record({ op: fc.constant("constant" as const), value: fc.constantFrom(true, false, null) });
  return fc.letrec<{ node: Predicate }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 6, arbitrary: leaf },
      { weight: 1, arbitrary: constant },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("not"), term: tie("node") }) },
      {
        weight: 4,
        arbitrary: fc.record({ op: fc.constantFrom("and", "or"), terms: fc.array(tie("node"), { maxLength: 3 }) }),
      },
    ) as fc.Arbitrary<Predicate>,
  })).node;
}

async function passing(predicate: Predicate, batch: RecordBatch): Promise<number[]> {
  const indices = await evaluatePredicate(predicate, batch);
  return indices === "all" ? Array.from({ length: batch.numRows }, (_, i) => i) : Array.from(indices);
}

const field = (name: string, type: DataType) => ({ name, type, nullable: true, metadata: {} });

describe("evaluatePredicate", () => {
  test("gives the rows that the row-wise model gives, on slices too", async () => {
    const cases = tables(flatSchemas, 12).chain((table) =>
      fc.record({
        table: fc.constant(table),
        predicate: predicates(table.schema),
        start: fc.nat(3),
        // Values of the rows themselves make equality common.
        pick: fc.nat(11),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ table: { schema, rows }, predicate, start, pick }) => {
        const batch = sliceBatch(buildBatch(schema, rows, 0), start, rows.length);
        const sliced = rows.slice(start);
        const expected = (which: Predicate) => sliced.flatMap((row, i) => (truth(which, schema, row) ? [i] : []));
        assert.deepEqual(await passing(predicate, batch), expected(predicate));
        for (const { name, type } of schema.fields) {
          const value = rows[pick]?.[name];
          if (value === null || value === undefined) continue;
          const literal = toLiteral(type, value);
          for (const op of ["=", "<", "<=", ">", ">=", "!="] as const) {
            const own: Predicate = { op, column: [name], value: literal };
            assert.deepEqual(await passing(own, batch), expected(own));
          }
          const among: Predicate = { op: "in", column: [name], values: [literal, literal, literal, literal, literal] };
          assert.deepEqual(await passing(among, batch), expected(among));
        }
      }),
      { numRuns: 400 },
    );
  });

  test("what is inside a null struct is null", async () => {
    const schema: StructType = {
      type: "struct",
      fields: [field("s", { type: "struct", fields: [field("n", "integer")] })],
    };
    const batch = buildBatch(schema, [{ s: { n: 1 } }, { s: null }, { s: { n: null } }, { s: { n: 0 } }], 0);
    const column = ["s", "n"];
    expect(await passing({ op: "isNull", column }, batch)).toEqual([1, 2]);
    expect(await passing({ op: "not", term: { op: "=", column, value: 1 } }, batch)).toEqual([3]);
    expect(await passing({ op: "isNull", column: ["s"] }, sliceBatch(batch, 1, 3))).toEqual([0]);
  });

  test("an opaque term's own evaluation takes part in the logic", async () => {
    const schema: StructType = { type: "struct", fields: [field("n", "integer")] };
    const batch = buildBatch(schema, [{ n: 1 }, { n: 2 }, { n: 3 }], 0);
    const opaque = { op: "opaque", text: "?", columns: [["n"]], evaluate: async () => Uint8Array.of(1, 2, 0) } as const;
    expect(await passing(opaque, batch)).toEqual([0]);
    expect(await passing({ op: "not", term: opaque }, batch)).toEqual([2]);
    expect(await evaluatePredicate({ op: "or", terms: [opaque, { op: "constant", value: true }] }, batch)).toBe("all");
    const short = { ...opaque, evaluate: async () => Uint8Array.of(1) };
    await expect(evaluatePredicate(short, batch)).rejects.toMatchObject({ code: "DELTA_INTERNAL" });
  });

  test("a long list tells texts with one hash apart", async () => {
    const schema: StructType = { type: "struct", fields: [field("s", "string")] };
    // Both have the FNV-1a hash 5e4daa9d.
    const batch = buildBatch(schema, [{ s: "costarring" }, { s: "liquid" }, { s: null }], 0);
    const among: Predicate = { op: "in", column: ["s"], values: ["a", "b", "c", "d", "liquid"] };
    expect(await passing(among, batch)).toEqual([1]);
    expect(await passing({ op: "not", term: among }, batch)).toEqual([0]);
  });

  test("a column that isn't there and a value of another domain are refused", async () => {
    const schema: StructType = { type: "struct", fields: [field("n", "integer"), field("l", "long")] };
    const batch = buildBatch(schema, [{ n: 1, l: 1n }], 0);
    const refused = { code: "DELTA_INVALID_PREDICATE" };
    await expect(evaluatePredicate({ op: "isNull", column: ["x"] }, batch)).rejects.toMatchObject(refused);
    await expect(evaluatePredicate({ op: "=", column: ["n"], value: "1" }, batch)).rejects.toMatchObject(refused);
    await expect(evaluatePredicate({ op: "=", column: ["l"], value: 1 }, batch)).rejects.toMatchObject(refused);
    const many: Predicate = { op: "in", column: ["n"], values: [1, 2, 3, 4, "5"] };
    await expect(evaluatePredicate(many, batch)).rejects.toMatchObject(refused);
    await expect(evaluatePredicate({ op: "startsWith", column: ["n"], value: "1" }, batch)).rejects.toMatchObject(
      refused,
    );
  });
});
