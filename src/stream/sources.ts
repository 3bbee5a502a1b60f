import { FolderSource, type FolderStreamOptions } from "./folderSource.js";
import { IterableSource, type IterableStreamOptions, type ReadAfter } from "./iterableSource.js";
import { Stream } from "./stream.js";

/**
 * The files of a folder (or a pattern), local or on S3, and those that come into it, each of them once and whole, oldest first. A file
 * has to be complete when it appears: write it elsewhere and rename it. Hidden ones (`_…`, `.…`) are passed over.
 *
 * @example
 * await streamFolder("./inbox", { schema: { id: "long", text: "string" } })
 *   .toTable(Table.open("./events"), { checkpoint: "./checkpoints/events" });
 */
export function streamFolder<Row extends object = Record<string, unknown>>(
  folder: string | URL,
  options: FolderStreamOptions,
): Stream<Row> {
  return new Stream<Row>(new FolderSource(folder, options));
}

/**
 * The rows of a source of one's own. `readAfter` gives the rows after a place, and the same ones again where a crash left open
 * whether they were written; a run ends, or waits for its next interval, where they end.
 *
 * @example
 * await streamOf((after) => queue.readFrom(after ?? 0), { offsetOf: (row) => row.position })
 *   .toTable(Table.open("./events"), { checkpoint: "./checkpoints/events", trigger: { everyMs: 10_000 }, signal });
 */
export function streamOf<Row extends object>(
  readAfter: ReadAfter<Row>,
  options: IterableStreamOptions<Row>,
): Stream<Row> {
  return new Stream<Row>(new IterableSource<Row>(readAfter, options));
}
