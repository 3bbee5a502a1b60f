import type { BadRecord, RecordPosition, RecordSink, RecordSlice, SinkedSlice } from "../format.js";
import type { CsvFile } from "./csvFile.js";
import { CsvParser } from "./parser.js";
import type { BrokenRecord, Segment, SinkedSegment } from "./segment.js";

/** Records of a CSV file that wait in temporary files. */
export class CsvSlice implements RecordSlice {
  readonly start: RecordPosition;
  readonly end: RecordPosition;
  readonly isLast: boolean;
  readonly recordCount: number;
  readonly storedBytes: number;
  readonly #file: CsvFile;
  readonly #parts: readonly (Segment | BrokenRecord)[];
  readonly #done: () => void;

  constructor(
    file: CsvFile,
    parts: readonly (Segment | BrokenRecord)[],
    facts: Pick<RecordSlice, "start" | "end" | "isLast" | "storedBytes">,
    done: () => void,
  ) {
    this.start = facts.start;
    this.end = facts.end;
    this.isLast = facts.isLast;
    this.storedBytes = facts.storedBytes;
    this.recordCount = parts.reduce((sum, part) => sum + ("file" in part ? part.recordCount : 1), 0);
    this.#file = file;
    this.#parts = parts;
    this.#done = done;
  }

  parse(sink: RecordSink, signal?: AbortSignal): Promise<void> {
    return this.parseWith(sink, [], signal);
  }

  async parseWith(sink: RecordSink, others: readonly SinkedSlice[], signal?: AbortSignal): Promise<void> {
    const all = [{ slice: this, sink }, ...(others as readonly { slice: CsvSlice; sink: RecordSink }[])];
    try {
      const parser = new CsvParser(this.#file, sink);
      const segments: SinkedSegment[] = [];
      for (const { slice, sink: own } of all) {
        for (const part of slice.#parts) {
          if ("file" in part) segments.push({ ...part, sink: own });
          else {
            // In the order of the records.
            await parser.parse(segments.splice(0), signal);
            await own.reject(brokenRecord(part));
          }
        }
      }
      await parser.parse(segments, signal);
    } finally {
      for (const { slice } of all) await slice.drop();
    }
  }

  /** Removes its files. */
  async drop(): Promise<void> {
    this.#done();
    for (const part of this.#parts) if ("file" in part) await part.file[Symbol.asyncDispose]();
  }
}

function brokenRecord({ place, reason, raw }: BrokenRecord): BadRecord {
  return { code: "PARSE", reason, raw, ...place };
}
