import { expect, test } from "vitest";
import {
  type MatchedClause,
  type MergeOptions,
  type NotMatchedBySourceClause,
  type NotMatchedClause,
  sql,
  Table,
} from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import fc from "../fastCheck.js";

/** A row of both sides: the key may be null and comes more than once, the partition moves. */
interface Row {
  readonly key: bigint | null;
  readonly part: string | null;
  readonly n: number | null;
}

type Kind = "matched" | "notMatched" | "notMatchedBySource";
type Sides = { readonly target: Row | undefined; readonly source: Row | undefined };
/** SQL and what it means; three-valued. */
interface Condition {
  readonly sql: string;
  readonly holds: (sides: Sides) => boolean | null;
}
interface DrawnClause {
  readonly action: "delete" | "all" | "sum" | "constant";
  readonly where: Condition | undefined;
}
interface DrawnMerge {
  readonly source: readonly Row[];
  readonly on: Condition;
  readonly clauses: Readonly<Record<Kind, readonly DrawnClause[]>>;
}

const than = (side: "target" | "source", limit: number): Condition => ({
  sql: `${side}.n < ${limit}`,
  holds: (sides) => (sides[side]!.n === null ? null : sides[side]!.n! < limit),
});
const isNull = (side: "target" | "source"): Condition => ({
  sql: `${side}.part IS NULL`,
  holds: (sides) => sides[side]!.part === null,
});
const SAME_KEY: Condition = {
  sql: "target.key = source.key",
  holds: ({ target, source }) => (target!.key === null || source!.key === null ? null : target!.key === source!.key),
};
const SAME_KEY_IN_A: Condition = {
  sql: "source.key = target.key AND target.part = 'a'",
  holds: (sides) => and(SAME_KEY.holds(sides), sides.target!.part === null ? null : sides.target!.part === "a"),
};
const SMALLER: Condition = {
  sql: "target.n < source.n AND target.key = 1",
  holds: ({ target, source }) =>
    and(
      target!.n === null || source!.n === null ? null : target!.n < source!.n,
      target!.key === null ? null : target!.key === 1n,
    ),
};

function and(a: boolean | null, b: boolean | null): boolean | null {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

const row: fc.Arbitrary<Row> = fc.record({
  key: fc.option(fc.bigInt({ min: 0n, max: 3n }), { freq: 6 }),
  part: fc.option(fc.constantFrom("a", "b", "c"), { freq: 6 }),
  n: fc.option(fc.integer({ min: -3, max: 9 }), { freq: 6 }),
});

function clauses(
  sides: readonly ("target" | "source")[],
  actions: readonly DrawnClause["action"][],
): fc.Arbitrary<readonly DrawnClause[]> {
  const side = fc.constantFrom(...sides);
  const limit = fc.tuple(side, fc.integer({ min: -2, max: 8 })).map(([of, value]) => than(of, value));
  const where = fc.oneof(limit, side.map(isNull));
  const some = fc.record({ action: fc.constantFrom(...actions), where });
  const last = fc.record({ action: fc.constantFrom(...actions), where: fc.option(where, { nil: undefined }) });
  return fc.oneof(
    fc.constant([]),
    fc.tuple(fc.array(some, { maxLength: 2 }), last).map(([first, end]) => [...first, end]),
  );
}

const drawnMerge: fc.Arbitrary<DrawnMerge> = fc.record({
  source: fc.array(row, { maxLength: 6 }),
  on: fc.constantFrom(SAME_KEY, SAME_KEY, SAME_KEY_IN_A, SMALLER),
  clauses: fc.record({
    matched: clauses(["target", "source"], ["delete", "all", "sum", "constant"]),
    notMatched: clauses(["source"], ["all", "constant"]),
    notMatchedBySource: clauses(["target"], ["delete", "constant"]),
  }),
});

function optionsOf({ on, clauses: drawn }: DrawnMerge): MergeOptions<Row> {
  const where = (clause: DrawnClause) => (clause.where === undefined ? {} : { where: clause.where.sql });
  const changed = (clause: DrawnClause) => {
    if (clause.action === "all") return "*" as const;
    return clause.action === "sum" ? { n: sql`target.n + source.n`, part: sql`source.part` } : { part: "k", n: null };
  };
  return {
    on: on.sql,
    whenMatched: drawn.matched.map((clause): MatchedClause<Row> => {
      return clause.action === "delete"
        ? { ...where(clause), delete: true }
        : { ...where(clause), update: changed(clause) };
    }),
    whenNotMatched: drawn.notMatched.map((clause): NotMatchedClause<Row> => {
      return { ...where(clause), insert: clause.action === "all" ? "*" : { key: sql`source.key + 100`, part: "k" } };
    }),
    whenNotMatchedBySource: drawn.notMatchedBySource.map((clause): NotMatchedBySourceClause<Row> => {
      return clause.action === "delete"
        ? { ...where(clause), delete: true }
        : { ...where(clause), update: { part: "k", n: null } };
    }),
  };
}

/** What MERGE says, row by row; undefined where it is ambiguous. */
function modelled(
  rows: readonly Row[],
  { source, on, clauses: drawn }: DrawnMerge,
): { readonly rows: Row[]; readonly changes: [string, Row][] } | undefined {
  const changes: [string, Row][] = [];
  const clauseFor = (kind: Kind, sides: Sides) =>
    drawn[kind].find(({ where }) => where === undefined || where.holds(sides) === true);
  const matched = new Set<Row>();
  const onlyDeletes =
    drawn.matched.length === 1 && drawn.matched[0]!.action === "delete" && drawn.matched[0]!.where === undefined;
  const result: Row[] = [];
  for (const target of rows) {
    const partners = source.filter((candidate) => on.holds({ target, source: candidate }) === true);
    for (const partner of partners) matched.add(partner);
    const effects = partners.flatMap((partner) => {
      const clause = clauseFor("matched", { target, source: partner });
      return clause === undefined ? [] : [{ clause, partner: partner as Row | undefined }];
    });
    if (effects.length > 1 && !onlyDeletes) return undefined;
    if (partners.length === 0) {
      const clause = clauseFor("notMatchedBySource", { target, source: undefined });
      if (clause !== undefined) effects.push({ clause, partner: undefined });
    }
    const [effect] = effects;
    if (effect === undefined) {
      result.push(target);
    } else if (effect.clause.action === "delete") {
      changes.push(["delete", target]);
    } else {
      const updated = updatedRow(effect.clause, target, effect.partner);
      changes.push(["update_preimage", target], ["update_postimage", updated]);
      result.push(updated);
    }
  }
  for (const candidate of source) {
    if (matched.has(candidate)) continue;
    const clause = clauseFor("notMatched", { target: undefined, source: candidate });
    if (clause === undefined) continue;
    const constant = { key: candidate.key === null ? null : candidate.key + 100n, part: "k", n: null };
    const inserted = clause.action === "all" ? candidate : constant;
    changes.push(["insert", inserted]);
    result.push(inserted);
  }
  return { rows: result, changes };
}

function updatedRow({ action }: DrawnClause, target: Row, partner: Row | undefined): Row {
  if (action === "all") return partner!;
  if (action === "constant") return { ...target, part: "k", n: null };
  return { ...target, part: partner!.part, n: target.n === null || partner!.n === null ? null : target.n + partner!.n };
}

const text = (value: unknown) => JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item));
const sorted = (values: readonly unknown[]) => values.map(text).sort();
const own = ({ key, part, n }: Row): Row => ({ key, part, n });

test("merges do what the model does", async () => {
  const outcomes = { ambiguous: 0, changed: 0, same: 0 };
  const form = fc.record({ vectors: fc.boolean(), partitioned: fc.boolean(), mapped: fc.boolean() });
  const drawn = fc.tuple(
    form,
    fc.array(fc.array(row, { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
    fc.array(drawnMerge, { minLength: 1, maxLength: 3 }),
  );
  await fc.assert(
    fc.asyncProperty(drawn, async ([{ vectors, partitioned, mapped }, files, merges]) => {
      const table = Table.open<Row>(memoryStore());
      await table.create({
        schema: { key: "long", part: "string", n: "integer" },
        partitionBy: partitioned ? ["part"] : [],
        properties: {
          "delta.enableChangeDataFeed": "true",
          "delta.enableDeletionVectors": String(vectors),
          ...(mapped && { "delta.columnMapping.mode": "name" }),
        },
      });
      for (const rows of files) await table.append(rows);
      let rows = files.flat();
      for (const merge of merges) {
        if (Object.values(merge.clauses).every((list) => list.length === 0)) continue;
        const expected = modelled(rows, merge);
        const merging = table.merge(merge.source, optionsOf(merge));
        if (expected === undefined) {
          outcomes.ambiguous++;
          await expect(merging).rejects.toMatchObject({
            code: "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
          });
          continue;
        }
        const before = await table.version();
        const result = await merging;
        const count = (type: string) => expected.changes.filter(([changed]) => changed === type).length;
        expect(result).toMatchObject({
          insertedRowCount: count("insert"),
          updatedRowCount: count("update_postimage"),
          deletedRowCount: count("delete"),
        });
        expect(sorted(await table.toArray())).toEqual(sorted(expected.rows));
        rows = expected.rows;
        if (expected.changes.length === 0) {
          outcomes.same++;
          expect(await table.version()).toBe(result.version);
          continue;
        }
        outcomes.changed++;
        expect(result.version).toBeGreaterThan(before - 1);
        const told = await table.changes({ from: result.version }).toArray();
        expect(sorted(told.map((change) => [change._change_type, own(change)]))).toEqual(sorted(expected.changes));
      }
      expect(await table.count()).toBe(rows.length);
      expect((await table.verify()).findings).toEqual([]);
    }),
    { numRuns: 50 },
  );
  for (const [outcome, count] of Object.entries(outcomes)) expect(count, outcome).toBeGreaterThan(0);
});
