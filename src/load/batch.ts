import { DeltaError } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { mergeSchemas } from "../schema/merge.js";
import type { StructType } from "../schema/types.js";
import { BadLimit } from "./badLimit.js";
import type { BatchIntake } from "./batchReader.js";
import { BatchSink } from "./batchSink.js";
import { type LoadTarget, missingColumns, openLoadTarget, widerTarget } from "./batchTarget.js";
import type { Books } from "./books.js";
import { LetterWriter, letterLog, letterPlace } from "./deadLetters.js";
import type { RecordSlice } from "./format/format.js";
import type { LoadedBatch, LoadJob } from "./loadJob.js";
import type { LoadOptions } from "./loadOptions.js";
import { type OpenFile, storedBytesOf, unknownColumns } from "./openFile.js";

/** Of a batch: one is read while the one before it is parsed. */
const SLICES = 4;
const LEAST_SLICE_BYTES = 1024 * 1024;

/** What is read for one commit: its rows and its dead letters, staged. */
export class Batch implements BatchIntake {
  readonly #log: DeltaLog;
  readonly #options: LoadOptions<object>;
  readonly #batchBytes: number;
  readonly #letters: LetterWriter | undefined;
  readonly #limit: BadLimit;
  readonly #rowsBefore: number;
  readonly #onParsed: () => void;
  readonly lettersUrl: string | undefined;
  #bytesRead = 0;
  #rows: { readonly to: LoadTarget; readonly sink: BatchSink } | undefined;

  /** `onParsed` is called after each slice. */
  constructor(log: DeltaLog, job: LoadJob, options: LoadOptions<object>, batchBytes: number, onParsed: () => void) {
    this.#log = log;
    this.#options = options;
    this.#batchBytes = batchBytes;
    this.#onParsed = onParsed;
    const { unfinished = { rowsRead: 0, rowsDead: 0 } } = job.state;
    this.#rowsBefore = unfinished.rowsRead;
    const { deadLetters, maxBadRecords, maxBadRatio, storage = {} } = options;
    if (deadLetters === false) {
      this.#limit = new BadLimit({ maxBadRecords: 0 }, 0);
      return;
    }
    this.#limit = new BadLimit({ maxBadRecords, maxBadRatio }, unfinished.rowsDead);
    const letters = letterLog(log.store, letterPlace(deadLetters), storage);
    this.lettersUrl = letters.store.url;
    this.#letters = new LetterWriter(letters, job.job, job.nextStep);
  }

  get sink(): BatchSink | undefined {
    return this.#rows?.sink;
  }

  /** Of what is parsed so far. */
  get books(): Books {
    const { rowsRead = 0, rowsLoaded = 0, rowsDead = 0, rowsFiltered = 0 } = this.sink ?? {};
    return { rowsRead, rowsLoaded, rowsDead, rowsFiltered, filesDone: 0, bytesRead: this.#bytesRead };
  }

  get sliceBytes(): number {
    return Math.max(Math.min(this.#batchBytes, LEAST_SLICE_BYTES), Math.ceil(this.#batchBytes / SLICES));
  }

  async admits(open: OpenFile): Promise<boolean> {
    const { mergeSchema, rescuedDataColumn } = this.#options;
    if (this.#rows === undefined) {
      this.#rows = await this.#begin(open);
      return true;
    }
    const { schema } = this.#rows.sink;
    // The next batch adds the columns.
    if (mergeSchema) return mergeSchemas(schema, open.columns) === schema;
    const missing = missingColumns(schema, open.columns);
    if (missing.length === 0) return true;
    if (rescuedDataColumn !== undefined) return true;
    throw unknownColumns(
      open.file,
      missing.map(({ name }) => name),
    );
  }

  async parse(slices: readonly { readonly slice: RecordSlice; readonly open: OpenFile }[]): Promise<void> {
    if (this.#rows === undefined) throw new DeltaError("DELTA_INTERNAL", "A slice came before its file was taken.");
    await this.#rows.sink.parse(slices.map(({ slice, open: { file, parser } }) => ({ slice, file: file.url, parser })));
    for (const { slice } of slices) this.#bytesRead += storedBytesOf(slice);
    this.#onParsed();
  }

  /** Throws `DELTA_LOAD_TOO_MANY_BAD_RECORDS` where the share of bad records is too high. */
  checkLimit(): void {
    this.#limit.checkRatio(this.#rowsBefore + (this.sink?.rowsRead ?? 0));
  }

  /** What is to be committed. A batch without rows moves on in the table as it is. */
  async loaded(): Promise<Pick<LoadedBatch, "rows" | "letters" | "letterPlace">> {
    const { deadLetters } = this.#options;
    if (this.#rows === undefined && (await this.#log.latestIfExists()) !== undefined) {
      this.#rows = await this.#begin(undefined);
    }
    const letterPlaceOf = deadLetters === false ? undefined : letterPlace(deadLetters);
    return { rows: this.#rows, letters: this.#letters, letterPlace: letterPlaceOf };
  }

  /** Removes what was staged. Only for a batch that surely isn't committed. */
  async discard(): Promise<void> {
    await this.sink?.discard();
    await this.#letters?.discard();
  }

  async #begin(open: OpenFile | undefined): Promise<{ readonly to: LoadTarget; readonly sink: BatchSink }> {
    const to = await openLoadTarget(this.#log, open, this.#options);
    const widen = async (schema: StructType) => {
      const wider = await widerTarget(this.#log, schema, this.#options, this.#rows?.to.target.rules);
      this.#rows = { to: wider, sink };
      return wider.sink;
    };
    const sink = new BatchSink(to.sink, this.#letters, this.#limit, this.#options.mergeSchema ? widen : undefined);
    return { to, sink };
  }
}
