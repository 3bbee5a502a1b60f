import fs from "node:fs";
import path from "node:path";
import { hasCode } from "#src/errors.js";
import { Table } from "#src/index.js";

/** What is known of one writer's appends, by their number. */
export interface Known {
  /** Those that must be there. */
  readonly there: Set<number>;
  /** Those that were killed before they were done, and weren't seen. */
  readonly open: Set<number>;
}

/** What a look at the table found beside the rows. */
export interface Leftovers {
  temporaryFiles: number;
  orphans: number;
}

const ROWS = 3;

/**
 * Reads the table anew and throws where anything is wrong: an append that is done isn't there, one is there twice or in part, one
 * that was never begun or was seen to be lost is there; versions with a gap; files missing, or of another size; a past version
 * that can't be read. An append that was killed may be there or not: what is found is noted, and holds from then on.
 */
export async function checkTable(folder: string, known: ReadonlyMap<string, Known>): Promise<Leftovers> {
  const found = await appendsOf(folder);
  for (const [writer, { there, open }] of known) {
    const mine = found.get(writer) ?? new Map<number, number>();
    for (const [n, rows] of mine) {
      if (rows !== ROWS) throw new Error(`append ${n} of ${writer} has ${rows} rows`);
      if (!there.has(n) && !open.has(n)) throw new Error(`append ${n} of ${writer} should not be there`);
    }
    for (const n of there) if (!mine.has(n)) throw new Error(`append ${n} of ${writer} is lost`);
    for (const n of open) if (mine.has(n)) there.add(n);
    open.clear();
  }
  for (const writer of found.keys()) if (!known.has(writer)) throw new Error(`nobody called ${writer} has appended`);
  return found.size === 0 ? leftovers(folder, new Set()) : leftovers(folder, await checkLog(folder));
}

/** How many rows there are of each append, by writer and number; none where there is no table. */
async function appendsOf(folder: string): Promise<Map<string, Map<number, number>>> {
  const found = new Map<string, Map<number, number>>();
  let rows: Record<string, unknown>[];
  try {
    rows = await Table.open(folder).toArray();
  } catch (error) {
    if (hasCode(error, "DELTA_TABLE_NOT_FOUND")) return found;
    throw error;
  }
  for (const { writer, n } of rows) {
    const mine = found.get(String(writer)) ?? new Map<number, number>();
    found.set(String(writer), mine);
    mine.set(Number(n), (mine.get(Number(n)) ?? 0) + 1);
  }
  return found;
}

/** Checks versions, files and the past; the paths of the live files. */
async function checkLog(folder: string): Promise<Set<string>> {
  const log = path.join(folder, "_delta_log");
  const commits = fs
    .readdirSync(log)
    .filter((name) => name.endsWith(".json"))
    .sort();
  const numbers = commits.map((name) => Number(name.slice(0, -".json".length)));
  if (numbers.some((number, i) => number !== i)) throw new Error(`commits ${numbers}`);
  const table = Table.open(folder);
  const version = await table.version();
  if (version !== commits.length - 1) throw new Error(`version ${version} of ${commits.length} commits`);
  if ((await table.history()).length !== commits.length) throw new Error("history lacks versions");
  const middle = version >> 1;
  const count = await table.at(middle).count();
  if (count !== (middle + 1) * ROWS) throw new Error(`version ${middle} has ${count} rows`);
  const files = await table.files();
  for (const { path: at, size } of files) {
    const found = fs.statSync(path.join(folder, at)).size;
    if (found !== size) throw new Error(`${at} has ${found} bytes instead of ${size}`);
  }
  return new Set(files.map((file) => file.path));
}

function leftovers(folder: string, live: ReadonlySet<string>): Leftovers {
  if (!fs.existsSync(folder)) return { temporaryFiles: 0, orphans: 0 };
  const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  const temporaryFiles = files.filter((file) => path.basename(file).startsWith(".delta-")).length;
  const orphans = files.filter((file) => path.basename(file).startsWith("part-") && !live.has(file)).length;
  return { temporaryFiles, orphans };
}
