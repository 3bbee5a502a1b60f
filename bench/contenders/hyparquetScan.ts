// hyparquet reads a table's files into arrays of values, once to warm up and once for the clock. Arguments: the table, what, rows.

import { Table } from "delta-table";
import { asyncBufferFromFile, parquetRead, parquetReadObjects } from "hyparquet";
import { sample } from "../process.js";

const [path = "", what = "", count = ""] = process.argv.slice(2);
const bound = BigInt(Number(count) - Math.floor(Number(count) / 20));
// It knows files, not tables: which they are it is told before the clock starts.
const names = (await Table.open(path).files()).map(({ path: name }) => `${path}/${decodeURIComponent(name)}`);

interface Read {
  readonly rows: number;
  readonly columns: number;
  readonly values: Iterable<ArrayLike<unknown>>;
}

/** The columns, each as the pieces they come in; all of them without a choice. */
async function columns(chosen?: string[]): Promise<Read> {
  const pieces = new Map<string, ArrayLike<unknown>[]>();
  for (const name of names) {
    const file = await asyncBufferFromFile(name);
    await parquetRead({
      file,
      ...(chosen && { columns: chosen }),
      onChunk: ({ columnName, columnData }) => {
        const before = pieces.get(columnName);
        if (before === undefined) pieces.set(columnName, [columnData]);
        else before.push(columnData);
      },
    });
  }
  const values = pieces.get("value") ?? [];
  return { rows: values.reduce((sum, { length }) => sum + length, 0), columns: pieces.size, values };
}

/** The rows above the bound, as objects: filtered in no other form. */
async function filtered(): Promise<Read> {
  const found: Record<string, unknown>[] = [];
  for (const name of names) {
    const file = await asyncBufferFromFile(name);
    for (const row of await parquetReadObjects({ file, filter: { id: { $gte: bound } } })) found.push(row);
  }
  const columns = Object.keys(found[0] ?? {}).length;
  return { rows: found.length, columns, values: [found.map(({ value }) => value)] };
}

const scans: Readonly<Record<string, () => Promise<Read>>> = {
  all: () => columns(),
  sum: () => columns(["value"]),
  filter: filtered,
  column: () => columns(["value"]),
};

function total(pieces: Iterable<ArrayLike<unknown>>): number {
  let sum = 0;
  for (const piece of pieces) for (let i = 0; i < piece.length; i++) sum += piece[i] as number;
  return sum;
}

await filtered();
await sample(
  async () => {
    const read = await scans[what]!();
    return what === "sum" ? { ...read, total: total(read.values) } : read;
  },
  ({ values, ...counts }) => (what === "sum" ? { total: total(values) } : { ...counts, total: total(values) }),
);
