import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { tableFromIPC } from "apache-arrow";
import { Table } from "#src/index.js";
import type { StorageOptions } from "#src/storage/open.js";

/** What the lines are loaded as. */
export const FLIGHT_SCHEMA = {
  id: "long",
  at: "timestamp",
  delay: "double",
  distance: "double",
  origin: "string",
  destination: "string",
} as const;

const HEADER = "id,at,delay,distance,origin,destination\n";

/** Real flights as CSV lines behind an id of each; some of them spoiled, each in one of four ways. */
export async function flightLines(count: number): Promise<string[]> {
  const parquet = await import("parquet-wasm");
  const bytes = fs.readFileSync(new URL("../data/flights-3m.parquet", import.meta.resolve("vega-datasets")));
  const flights = tableFromIPC(parquet.readParquet(bytes).intoIPCStream()).slice(0, count);
  return [...flights].map((row, id) => lineOf(id, row.toJSON()));
}

function lineOf(id: number, flight: Record<string, unknown>): string {
  const { date, distance: far, origin, destination } = flight;
  const when = new Date(Number(date)).toISOString();
  const delay = flight.delay ?? "";
  switch (id % 1511) {
    case 7:
      return `${id},${when},late,${far},${origin},${destination}`;
    case 501:
      return `${id},${when},${delay}`;
    case 803:
      return `${id},${when},${delay},${far},${origin},${destination},more,and more`;
    case 1200:
      return `${id},yesterday,${delay},"${far}",${origin},${destination}`;
    default:
      return id % 10 === 0
        ? `${id},${when},${delay},${far},"${origin}, or\n""so""",${destination}`
        : `${id},${when},${delay},${far},${origin},${destination}`;
  }
}

/** A CSV file of some of the lines. */
export function flightFile(lines: readonly string[], from = 0, to = lines.length): string {
  return `${HEADER}${lines.slice(from, to).join("\n")}\n`;
}

/** What a load has brought: rows and dead letters, each as a count and a digest, and the sum of all books. */
export async function contentOf(location: string, storage: StorageOptions = {}) {
  await using table = Table.open(location, storage);
  await using letters = Table.open(`${location}/_dead_letters`, storage);
  const history = await table.history();
  const sum = (name: string) => history.reduce((total, one) => total + Number(one.operationMetrics[name] ?? 0), 0);
  return {
    rows: await digestOf(table, (row) => `${row.id}`),
    letters: await digestOf(letters, ({ file, record }) => `${file} ${String(record).padStart(9)}`, [
      "file",
      "byte_offset",
      "line",
      "record",
      "column",
      "code",
      "raw",
    ]),
    books: ["rowsRead", "rowsLoaded", "rowsDead", "rowsFiltered"].map(sum),
  };
}

async function digestOf(table: Table, keyOf: (row: Record<string, unknown>) => string, columns?: readonly string[]) {
  const rows: string[] = [];
  for await (const row of table.rows(columns === undefined ? {} : { columns: [...columns] })) {
    const text = (value: unknown) => (typeof value === "bigint" ? String(value) : value);
    // The folders differ.
    const file = "file" in row ? { file: path.basename(String(row.file)) } : {};
    const values = { ...row, ...file };
    rows.push(`${keyOf(values)} ${JSON.stringify(values, (_, value) => text(value))}`);
  }
  rows.sort();
  return { count: rows.length, digest: createHash("sha256").update(rows.join("\n")).digest("hex") };
}
