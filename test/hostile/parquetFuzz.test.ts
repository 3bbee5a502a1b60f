import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Int32, type RecordBatch, Utf8 } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { fromArrowSchema } from "#src/arrow/schema.js";
import { DeltaError } from "#src/errors.js";
import { Table } from "#src/index.js";
import { replaceLimits } from "#src/limits.js";
import { replaceRuntime } from "#src/runtime.js";
import { openStore } from "#src/storage/open.js";
import fc from "../fastCheck.js";
import { TABLES } from "../golden/tables.js";
import { encode, read, vector } from "../parquet/fixtures.js";
import { type Victim, victimOf, wounded, wounds } from "./parquetDamage.js";
import { freshLocation } from "./tables.js";

/** Seconds for each of the tests here; some hundred cases where it's left out. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
const RUNS = (cases: number) =>
  SECONDS > 0 ? { numRuns: Number.POSITIVE_INFINITY, interruptAfterTimeLimit: SECONDS * 1000 } : { numRuns: cases };
const TIMEOUT_MS = 600_000 + SECONDS * 1000;
/** Larger files take long and have nothing that small ones lack. */
const MAX_BYTES = 60_000;
/** Far beyond what the limits below allow for, and below what a file could make of its lies without them. */
const MAX_RESIDENT_BYTES = 1.5e9;

const restore: (() => void)[] = [];
beforeAll(() => {
  restore.push(replaceLimits({ MAX_DECODER_MEMORY_BYTES: 64 * 2 ** 20, MAX_OWN_DECODER_MEMORY_BYTES: 32 * 2 ** 20 }));
  restore.push(replaceRuntime({ warn: () => undefined }));
});
afterAll(() => {
  for (const put of restore) put();
});

/** All files in a folder and those below it. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

const bytesOf = (path: string) => new Uint8Array(readFileSync(path));

async function victimsIn(folder: string): Promise<Victim[]> {
  const paths = filesIn(folder).filter((path) => path.endsWith(".parquet"));
  const victims = await Promise.all(paths.map((path) => victimOf(path.slice(folder.length + 1), bytesOf(path))));
  return victims.filter(({ bytes }) => bytes.length <= MAX_BYTES);
}

/** Files whose pages aren't compressed, so that damage in them reaches the decoder. */
async function bareVictims(): Promise<Victim[]> {
  const rows = Array.from({ length: 300 }, (_, i) => i);
  const columns = {
    n: vector(new Int32(), rows),
    s: vector(
      new Utf8(),
      rows.map((i) => (i % 7 === 0 ? null : `${i % 9}`)),
    ),
  };
  return Promise.all(
    [1000, 100].map(async (rowGroupRows) =>
      victimOf(`bare ${rowGroupRows}`, await encode(columns, { compression: "uncompressed", rowGroupRows })),
    ),
  );
}

/** Looks at each value as a table's reader does; a type that no table has is refused. */
function visitRows(batch: RecordBatch): void {
  try {
    const schema = fromArrowSchema(batch.schema);
    expect(rowReader(schema)(conformBatch(batch, schema))).toHaveLength(batch.numRows);
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
  }
}

/** The newest version of which a table has a checkpoint, and the number in a commit's name. */
const CHECKPOINT = /^_delta_log\/(\d{20})\.checkpoint/;
const COMMIT = /^_delta_log\/(\d{20})\.json$/;

interface Place {
  readonly location: string;
  readonly victim: Victim;
}

/** Each Parquet file of the tables that Spark made; those of logs twice, once without the commits that they cover. */
async function places(): Promise<Place[]> {
  const found: Place[] = [];
  for (const name of readdirSync(TABLES)) {
    const folder = join(TABLES, name, "delta");
    const files = new Map(filesIn(folder).map((path) => [path.slice(folder.length + 1), bytesOf(path)]));
    const victims = await victimsIn(folder);
    const covered = Math.max(-1, ...[...files.keys()].map((path) => Number(CHECKPOINT.exec(path)?.[1] ?? -1)));
    const [whole, cleaned] = [freshLocation(), freshLocation()];
    for (const [path, bytes] of files) {
      await openStore(whole).put(path, bytes);
      if (Number(COMMIT.exec(path)?.[1] ?? covered + 1) > covered) await openStore(cleaned).put(path, bytes);
    }
    for (const victim of victims) {
      found.push({ location: whole, victim });
      if (victim.name.startsWith("_delta_log/")) found.push({ location: cleaned, victim });
    }
  }
  return found;
}

describe("a wounded Parquet file", () => {
  test(
    "is its values, or DELTA_PARQUET_UNREADABLE naming it",
    async () => {
      const victims = [
        ...(await victimsIn("test/parquet/fixtures")),
        ...(await victimsIn(TABLES)),
        ...(await bareVictims()),
      ];
      const outcomes = { values: 0, unreadable: 0 };
      const options = fc.record({ checksPages: fc.boolean(), pieceBytes: fc.constantFrom(undefined, undefined, 200) });
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...victims),
          wounds,
          fc.constantFrom(...victims),
          options,
          async (victim, inflicted, donor, how) => {
            const bytes = wounded(victim, inflicted, donor.bytes);
            let batches: RecordBatch[] = [];
            try {
              batches = await read(bytes, how);
              outcomes.values++;
            } catch (error) {
              if (!(error instanceof DeltaError)) throw error;
              expect(error).toMatchObject({ code: "DELTA_PARQUET_UNREADABLE", data: { path: "file" } });
              outcomes.unreadable++;
            }
            for (const batch of batches) visitRows(batch);
            expect(process.memoryUsage.rss()).toBeLessThan(MAX_RESIDENT_BYTES);
          },
        ),
        RUNS(250),
      );
      expect(Math.min(outcomes.values, outcomes.unreadable)).toBeGreaterThan(0);
      for (const victim of victims) expect((await read(victim.bytes)).length).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test(
    "of a table's rows or log gives rows, or a DeltaError naming it",
    async () => {
      const all = await places();
      const outcomes = { rows: 0, errors: 0 };
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...all),
          wounds,
          fc.constantFrom(...all),
          async ({ location, victim }, inflicted, donor) => {
            const store = openStore(location);
            await store.put(victim.name, wounded(victim, inflicted, donor.victim.bytes));
            try {
              await Table.open(location).scan().toArray();
              outcomes.rows++;
            } catch (error) {
              if (!(error instanceof DeltaError)) throw error;
              expect(JSON.stringify([error.message, error.data])).toContain(JSON.stringify(victim.name).slice(1, -1));
              outcomes.errors++;
            } finally {
              await store.put(victim.name, victim.bytes);
            }
            expect(process.memoryUsage.rss()).toBeLessThan(MAX_RESIDENT_BYTES);
          },
        ),
        RUNS(80),
      );
      expect(Math.min(outcomes.rows, outcomes.errors)).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
