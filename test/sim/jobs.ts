import type { OpenSource } from "#src/load/openSource.js";
import { identityOf } from "#src/load/source/identity.js";
import type { SourceFile } from "#src/load/source/source.js";
import { LOG_FOLDER } from "#src/log/names.js";
import type { ObjectStore } from "#src/storage/store.js";
import type { Disk } from "./disk.js";

/** Beside the table, on the same storage: what jobs read, what they write, and where they keep their place. */
export const SOURCE = "_source/";
export const LETTERS = "_dead_letters/";
export const COPY = "_copy/";
export const STREAM = "_stream/";
export const STATES = `${LOG_FOLDER}_loads/`;

/** The job that loads the source, whoever runs it. */
export const LOAD_JOB = "load";
/** The job that appends rows by its own offsets. */
export const QUEUE_JOB = "queue";

/** Some records to a batch. */
export const BATCH_BYTES = 90;
const FIRST_FILES = 2;
const FIRST_RECORDS = 6;

/** A record of the source: each fifth one is bad. */
function lineOf(file: number, record: number): string {
  const n = isBadRecord(record) ? '"none"' : record;
  return `{"id":"${recordId(file, record)}","n":${n}}\n`;
}

export function isBadRecord(record: number): boolean {
  return record % 5 === 3;
}

/** The row that a record becomes. */
export function recordId(file: number, record: number): string {
  return `s${file}:${record}`;
}

/** The row that a job with offsets appends at one. */
export function queueRow(offset: number): string {
  return `q${offset}`;
}

function pathOf(file: number): string {
  return `${SOURCE}${file}.jsonl`;
}

/** The number of a source's file, of its path or URL. */
export function fileNumber(path: string): number {
  return Number(/(\d+)\.jsonl$/.exec(path)?.[1]);
}

/** How many records each file of the source has. */
export function sourceRecords(objects: ReadonlyMap<string, number>): Map<number, number> {
  const found = new Map<number, number>();
  for (const [path, sizeBytes] of objects) {
    if (!path.startsWith(SOURCE)) continue;
    const file = fileNumber(path);
    let records = 0;
    for (let bytes = 0; bytes < sizeBytes; records++) bytes += lineOf(file, records).length;
    found.set(file, records);
  }
  return found;
}

/** What a source begins with, as objects by path. */
export function firstSource(): ReadonlyMap<string, Uint8Array> {
  return new Map(Array.from({ length: FIRST_FILES }, (_, file) => [pathOf(file), linesOf(file, FIRST_RECORDS)]));
}

/** What comes to a source: a new file, or more records at the end of one; `pick` says which. */
export function grown(disk: Disk, pick: number): { readonly path: string; readonly bytes: Uint8Array } {
  const files = disk.paths(SOURCE).length;
  const file = pick % (files + 1);
  const count = 1 + (pick % 4);
  const sizes = new Map(disk.paths(SOURCE).map((path) => [path, disk.head(path)!.sizeBytes]));
  const records = sourceRecords(sizes).get(file) ?? 0;
  return { path: pathOf(file), bytes: linesOf(file, records + count) };
}

function linesOf(file: number, records: number): Uint8Array {
  const lines = Array.from({ length: records }, (_, record) => lineOf(file, record));
  return new TextEncoder().encode(lines.join(""));
}

/** The files of a source that is on the simulated storage. */
export function simulatedSource(store: ObjectStore): OpenSource {
  return () => ({
    async *[Symbol.asyncIterator](): AsyncGenerator<SourceFile> {
      for await (const meta of store.list(SOURCE)) {
        const url = `${store.url}/${meta.path}`;
        yield { url, store, path: meta.path, format: "jsonl", compression: "none", identity: identityOf(meta) };
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  });
}
