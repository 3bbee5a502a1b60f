import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";

/** Rows with the ids `from` (included) to `to` (excluded). */
export const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ id: BigInt(from + i) }));

/** The ids of a table's rows, ascending. */
export async function ids(table: Table): Promise<number[]> {
  return (await table.toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
}

export const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);

/** A table with a commit for each pair of ends: `0..a`, `a..b` … */
export async function tableOf(...ends: number[]): Promise<Table> {
  const table = Table.open(memoryStore());
  let from = 0;
  for (const to of ends) {
    await table.append(rows(from, to));
    from = to;
  }
  return table;
}

/** The text of an object. */
export async function textOf(store: ObjectStore, path: string): Promise<string> {
  return new TextDecoder().decode(await store.get(path));
}

/** Every object of a store by its path. */
export async function pathsOf(store: ObjectStore): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of store.list("")) paths.push(path);
  return paths;
}
