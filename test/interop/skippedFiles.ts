import { type StructField, Table, Timestamp } from "#src/index.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { planFiles } from "#src/read/plan.js";
import { parseWhere } from "#src/sql/where.js";
import { openStore } from "#src/storage/open.js";

const SCHEMA = {
  id: "long",
  n: "integer",
  nothing: "integer",
  d: "double",
  x: "double",
  f: "float",
  amount: "decimal(10,2)",
  big: "decimal(30,5)",
  s: "string",
  text: "string",
  sign: "string",
  day: "date",
  ts: "timestamp",
  ntz: "timestamp_ntz",
  flag: "boolean",
  bin: "binary",
  st: { a: "integer", b: { c: "string" } },
  list: ["integer"],
  m: { map: ["string", "integer"] },
  p: "string",
  q: "date",
  late: "long",
} as const;

const FILES = 10;
const ROWS = 10;

const dayOf = (i: number) => Date.UTC(2024, 0, 1 + i);

/** Of file 3 all `n` are null, of file 4 some; of file 2 all structs and lists; one `x` is NaN; `text` differs behind what statistics keep of it. */
function row(i: number) {
  const file = Math.floor(i / ROWS);
  const at = new Timestamp(dayOf(i) + 123, 456);
  return {
    id: BigInt(i),
    n: file === 3 || (file === 4 && i % 2 === 1) ? null : i % ROWS,
    nothing: null,
    d: i / ROWS,
    x: i === 55 ? Number.NaN : i + 0.5,
    f: i / ROWS,
    amount: `${i}.25`,
    big: `${BigInt(i) * 10n ** 21n}.50000`,
    s: `v${i}`,
    text: "a".repeat(40) + i,
    sign: `🎈${i}`,
    day: new Date(dayOf(i)),
    ts: at,
    ntz: at,
    flag: [true, true, true, true, false, false, false, null, i % 2 === 0, i % 2 === 0][file],
    bin: file === 6 ? null : new Uint8Array([i]),
    st: file === 2 ? null : { a: file === 5 && i % 2 === 1 ? null : i, b: file === 8 ? null : { c: `c${i}` } },
    list: file === 2 ? null : [i, i + 1],
    m: file === 2 ? null : new Map([["k", i]]),
    p: ["a", "b", "c", null][file % 4],
    q: ["2024-01-01", "2024-01-02", null][file % 3],
    late: BigInt(i),
  };
}

const rowsOfFile = (file: number) => Array.from({ length: ROWS }, (_, i) => row(file * ROWS + i));

/** A table of ten files by two partition columns; of its last column there are no statistics. */
export async function makePlain(path: string): Promise<void> {
  const table = Table.open(path);
  const properties = { "delta.dataSkippingNumIndexedCols": "24" };
  await table.create({ schema: SCHEMA, partitionBy: ["p", "q"], properties });
  for (let file = 0; file < FILES; file++) await table.append(rowsOfFile(file));
}

/** The same in mapped columns, where deletion vectors remove the first, a middle and the last row of each file but the first: bounds are wide. */
export async function makeWithVectors(path: string): Promise<void> {
  const table = Table.open(path);
  const properties = { "delta.enableDeletionVectors": "true", "delta.columnMapping.mode": "name" };
  await table.create({ schema: SCHEMA, partitionBy: ["p", "q"], properties });
  for (let file = 0; file < FILES; file++) await table.append(rowsOfFile(file));
  await table.delete("id >= 10 and id % 10 in (0, 4, 9)");
}

/** Half of the files are from before the types were widened, half from after it. */
export async function makeWidened(path: string): Promise<void> {
  const field = (name: string, type: StructField["type"]) => ({ name, type, nullable: true, metadata: {} });
  const fields = [
    field("id", "integer"),
    field("n", "byte"),
    field("f", "float"),
    field("amount", "decimal(10,2)"),
    field("day", "date"),
    field("s", "string"),
  ];
  const table = Table.open(path);
  const properties = { "delta.enableTypeWidening": "true", "delta.feature.timestampNtz": "supported" };
  await table.create({ schema: { type: "struct", fields }, properties });
  const rows = (file: number) =>
    rowsOfFile(file).map(({ id, n, amount, day, s }) => ({ id, n, f: Number(id) / ROWS, amount, day, s }));
  for (let file = 0; file < FILES / 2; file++) await table.append(rows(file));
  await table.alter.changeColumn("id", { type: "long" });
  await table.alter.changeColumn("n", { type: "double" });
  await table.alter.changeColumn("f", { type: "double" });
  await table.alter.changeColumn("amount", { type: "decimal(20,4)" });
  await table.alter.changeColumn("day", { type: "timestamp_ntz" });
  for (let file = FILES / 2; file < FILES; file++) await table.append(rows(file));
}

const nameOf = (path: string) => decodeURIComponent(path.split("/").at(-1)!);

/** Of each file the digit that it is named by: the order in which they were added. */
export async function digitsOf(path: string): Promise<ReadonlyMap<string, string>> {
  const table = Table.open(path);
  const digits = new Map<string, string>();
  for (let version = 1; version <= (await table.version()); version++) {
    for (const file of await table.at(version).files()) {
      const name = nameOf(file.path);
      if (!digits.has(name)) digits.set(name, String(digits.size));
    }
  }
  return digits;
}

export const digitsIn = (digits: ReadonlyMap<string, string>, names: readonly string[]) =>
  names
    .map((name) => digits.get(nameOf(name))!)
    .sort()
    .join("");

/** The files that a scan here is planned to read. */
export async function plannedHere(path: string, conditions: readonly string[]): Promise<string[][]> {
  const snapshot = await new DeltaLog(openStore(path)).latest();
  const planned: string[][] = [];
  for (const where of conditions) {
    const predicate = await parseWhere(where, snapshot.schema);
    const names: string[] = [];
    for await (const file of planFiles(snapshot, { predicate })) names.push(file.path);
    planned.push(names);
  }
  return planned;
}
