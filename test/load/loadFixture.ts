import { mkdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { Table } from "#src/index.js";

/** A folder of this test file's own, removed after it. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "delta-load-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function write(path: string, text: string): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** CSV lines of rows `from` to `to`; every 97th one is bad, since `v` is no number. */
export function csvLines(from: number, to: number): string {
  let text = "";
  for (let id = from; id < to; id++) {
    text += isBad(id) ? `${id},"bad, ${id}",x\n` : `${id},"name\n${id}",${id / 2}\n`;
  }
  return text;
}

export const isBad = (id: number) => id % 97 === 5;
export const HEADER = "id,name,v\n";
export const SCHEMA = { id: "long", name: "string", v: "double" } as const;

export const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** The ids of a table, sorted as numbers. */
export async function idsOf(table: Table): Promise<number[]> {
  return (await table.toArray({ columns: ["id"] })).map(({ id }) => Number(id)).sort((a, b) => a - b);
}

/** The ids in the raw texts of dead letters, sorted. */
export async function deadIdsOf(location: string | Table): Promise<number[]> {
  const table = typeof location === "string" ? Table.open(location) : location;
  const raws = (await table.toArray({ columns: ["raw"] })).map(({ raw }) => Buffer.from(raw as Uint8Array).toString());
  return raws.map((raw) => Number(raw.split(",")[0])).sort((a, b) => a - b);
}
