import { type OptimizeOptions, sql, Table } from "#src/index.js";
import { type Canonical, type Content, canonicalRow } from "./canonical.js";

export interface Row {
  readonly id: bigint;
  readonly part: string | null;
  readonly value: string | null;
  readonly amount: string | null;
  readonly day: string | null;
}

export const SCHEMA = { id: "long", part: "string", value: "string", amount: "decimal(12,2)", day: "date" } as const;

const row = (id: number, value: string): Row => ({
  id: BigInt(id),
  part: id % 5 === 0 ? null : `p ${id % 2}`,
  value,
  amount: id % 4 === 0 ? null : `${id}.25`,
  day: `2024-01-${String((id % 28) + 1).padStart(2, "0")}`,
});
export const rowsOf = (first: number, count: number, value: string) =>
  Array.from({ length: count }, (_, i) => row(first + i, value));

/** A row as every side is compared in. */
export const canonical = ({ id, part, value, amount, day }: Row): Record<string, Canonical> => ({
  id: `int:${id}`,
  part: part === null ? null : `string:${part}`,
  value: value === null ? null : `string:${value}`,
  amount: amount === null ? null : `decimal:${amount}`,
  day: day === null ? null : `date:${day}`,
});

export const FIELDS = Object.entries(SCHEMA).map(([name, type]) => ({ name, type, nullable: true, metadata: {} }));
export const DELTA_SCHEMA = { type: "struct", fields: FIELDS };

/** The rows that a table should have, by id. */
export type Model = Map<bigint, Row>;

/** What a change does to them. */
export type Change = (model: Model) => void;

export const put =
  (rows: readonly Row[]): Change =>
  (model) => {
    for (const row of rows) model.set(row.id, row);
  };
export const remove =
  (matches: (row: Row) => boolean): Change =>
  (model) => {
    for (const row of [...model.values()]) if (matches(row)) model.delete(row.id);
  };
export const update =
  (matches: (row: Row) => boolean, set: (row: Row) => Row): Change =>
  (model) => {
    for (const [id, row] of model) if (matches(row)) model.set(id, set(row));
  };

/** Changes rows of every kind here, those of a part among them, and in the model. */
export async function changeHere(
  table: Table<Row>,
  model: Model,
  part: string,
  optimized: OptimizeOptions<Row>,
): Promise<void> {
  await table.append(rowsOf(200, 5, "here"));
  put(rowsOf(200, 5, "here"))(model);
  await table.delete("id % 9 = 4");
  remove(({ id }) => id % 9n === 4n)(model);
  await table.update({ set: { value: sql`value || '?'` }, where: { part } });
  update(
    (row) => row.part === part,
    (row) => ({ ...row, value: `${row.value}?` }),
  )(model);
  await table.merge(rowsOf(199, 10, "both"), {
    on: ["id"],
    whenMatched: [{ update: "*" }],
    whenNotMatched: [{ insert: "*" }],
  });
  put(rowsOf(199, 10, "both"))(model);
  await table.optimize(optimized);
}

const idOf = ({ id }: Record<string, Canonical>) => Number(String(id).slice("int:".length));

/** A model's rows, or those that were read, in the order of their ids; columns that are not of {@link SCHEMA} left out. */
export const ordered = (rows: Model | Content["rows"]): Record<string, Canonical>[] => {
  const all = rows instanceof Map ? [...rows.values()].map(canonical) : rows.map(known);
  return all.sort((a, b) => idOf(a) - idOf(b));
};
const known = (row: Record<string, Canonical>) =>
  Object.fromEntries(Object.keys(SCHEMA).map((name) => [name, row[name]!]));

/** What verify finds wrong; that a constraint's rows weren't looked at is none of it. */
export const faults = async (path: string) =>
  (await Table.open(path).verify({ depth: "data" })).findings.filter(({ severity }) => severity !== "info");

const changeText = (type: string, row: Record<string, Canonical>) => JSON.stringify([type, Object.entries(row).sort()]);

/** What a change feed has to say of a step from some rows to others. */
export function changesOf(before: Model, after: Model): string[] {
  const found: string[] = [];
  for (const [id, row] of before) {
    const now = after.get(id);
    if (now === undefined) found.push(changeText("string:delete", canonical(row)));
    else if (now !== row) {
      found.push(changeText("string:update_preimage", canonical(row)));
      found.push(changeText("string:update_postimage", canonical(now)));
    }
  }
  for (const [id, row] of after) if (!before.has(id)) found.push(changeText("string:insert", canonical(row)));
  return found.sort();
}

/** What is told here of the versions since one. */
export async function changesHere(path: string, from: number): Promise<string[]> {
  const scan = Table.open(path).changes({ from });
  const schema = await scan.schema();
  const rows = (await scan.toArray()).map((row) => canonicalRow(row, schema));
  return rows.map((row) => changeText(String(row._change_type), known(row))).sort();
}
