import type { StructType } from "../../../schema/types.js";
import { checkSignal } from "../../../signal.js";
import {
  type CsvBatch,
  type CsvMisfit,
  type CsvReject,
  copyCsv,
  findMisfits,
  MisfitFound,
} from "../../../sql/csvBatch.js";
import { type DuckdbConnection, fileDuckdb } from "../../../sql/duckdb.js";
import { recordFault } from "../faults.js";
import type { BadRecord, RecordSink } from "../format.js";
import { TemporaryFile } from "../temporaryFile.js";
import { badRecordsOf, type Fault, ordinalsOf, recordStart } from "./badRows.js";
import type { CsvFile } from "./csvFile.js";
import { newLineOf, withLineFeeds } from "./lineEnds.js";
import { type LostRow, writeRows } from "./rows.js";
import type { SinkedSegment } from "./segment.js";

const LINE_FEED = Uint8Array.of(0x0a);

/** Parses segments, of one file or of several written alike, with DuckDB, so that each of their records becomes one row or one bad record. */
export class CsvParser {
  readonly #file: CsvFile;
  readonly #sink: RecordSink;
  /** For each value of a record its column in the table. */
  readonly #columns: readonly (string | undefined)[];
  /** Whether misfits are to be expected. */
  #hadMisfits = false;

  constructor(file: CsvFile, sink: RecordSink) {
    this.#file = file;
    this.#sink = sink;
    this.#columns = columnsFor(file.columns, sink.schema, file.rescuedDataColumn);
  }

  /**
   * Parses all segments as one, and where DuckDB finds another number of records in them, which happens where quotes are used
   * loosely, each half of them; a record that it doesn't find even alone is bad.
   */
  async parse(segments: readonly SinkedSegment[], signal?: AbortSignal): Promise<void> {
    if (segments.length === 0) return;
    checkSignal(signal, `reading ${this.#file.url}`);
    await using rows = await TemporaryFile.create();
    const outcome = await this.#attempt(segments, rows, signal);
    const recordCount = countOf(segments);
    const isBalanced = outcome !== undefined && outcome.rowCount + outcome.faults.length === recordCount;
    if (isBalanced && (await this.#areBad(segments, outcome.faults, signal))) {
      const textBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const facts = { rowCount: outcome.rowCount, textBytes, columns: this.#columns };
      const lost = await writeRows(this.#sink, rows, facts, signal);
      const misfits = lost.map((each) => ({ ...each, kind: "cast" as const }));
      await this.#reject(segments, merged(outcome.faults, misfits, this.#sink.schema));
      return;
    }
    if (recordCount === 1) {
      const reason = "it can't be taken apart: its quotes don't go with its values";
      await this.#reject(segments, [{ code: "PARSE", reason, ordinal: 0 }]);
      return;
    }
    if (segments.length > 1) {
      const middle = segments.length >> 1;
      await this.parse(segments.slice(0, middle), signal);
      await this.parse(segments.slice(middle), signal);
      return;
    }
    for (const half of await this.#halves(segments[0]!)) {
      await using _ = half.file;
      await this.parse([half], signal);
    }
  }

  /** What DuckDB makes of the segments; undefined where it gives up on them. */
  async #attempt(
    segments: readonly SinkedSegment[],
    rows: TemporaryFile,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly rowCount: number; readonly faults: readonly Fault[] } | undefined> {
    await using readable = await withLineFeeds(this.#file, segments);
    const paths = readable.segments.map(({ file }) => file.path);
    const batch: CsvBatch = {
      ...this.#batch(paths, newLineOf(readable.segments)),
      fileBytes: Math.max(...segments.map(({ sizeBytes }) => sizeBytes)),
      recordBytes: Math.max(...segments.map(({ recordBytes }) => recordBytes)),
    };
    const db = await fileDuckdb();
    try {
      const { rowCount, rejects } = await this.#copy(db, batch, rows, signal);
      const rejected = await this.#rejected(readable.segments, rejects);
      const left = countOf(segments) - rowCount - rejected.length;
      if (left <= 0) return { rowCount, faults: rejected };
      using connection = await db.connect();
      const misfits = await interruptible(connection, findMisfits(connection, batch), signal);
      return { rowCount, faults: merged(rejected, misfits, this.#sink.schema) };
    } catch (error) {
      if (isAboutText(error)) return undefined;
      throw error;
    }
  }

  async #copy(
    db: Awaited<ReturnType<typeof fileDuckdb>>,
    batch: CsvBatch,
    rows: TemporaryFile,
    signal: AbortSignal | undefined,
  ): ReturnType<typeof copyCsv> {
    if (!this.#hadMisfits) {
      using connection = await db.connect();
      try {
        return await interruptible(connection, copyCsv(connection, batch, rows.path, true), signal);
      } catch (error) {
        if (!(error instanceof MisfitFound)) throw error;
        this.#hadMisfits = true;
      }
    }
    using connection = await db.connect();
    return await interruptible(connection, copyCsv(connection, batch, rows.path, false), signal);
  }

  /** One fault for each record that was rejected, for whatever reasons, in their order. */
  async #rejected(segments: readonly SinkedSegment[], rejects: readonly CsvReject[]): Promise<Fault[]> {
    const faults: Fault[] = [];
    let firstRecord = 0;
    for (const [index, segment] of segments.entries()) {
      const own = rejects.filter(({ file }) => file === index);
      if (own.length > 0) {
        const positions = own.map(({ byte }) => byte);
        const ordinals = ordinalsOf(this.#file, await segment.file.read(), positions);
        for (const [i, ordinal] of ordinals.entries()) {
          if (i > 0 && ordinals[i - 1] === ordinal) continue;
          faults.push({ ...this.#fault(own[i]!), ordinal: firstRecord + ordinal });
        }
      }
      firstRecord += segment.recordCount;
    }
    return faults;
  }

  /**
   * Whether DuckDB finds none of the faulty records good when it sees them alone. What it says of where a reject was isn't always right;
   * but as many as there are bad records, all of them bad, are the bad records.
   */
  async #areBad(
    segments: readonly SinkedSegment[],
    faults: readonly Fault[],
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (faults.length === 0 || countOf(segments) === 1) return true;
    await using texts = await TemporaryFile.create();
    await using rows = await TemporaryFile.create();
    let recordBytes = 0;
    let fileBytes = 0;
    for await (const { bad } of this.#badRecords(segments, faults)) {
      const { length } = bad.raw;
      await texts.write(Buffer.concat([bad.raw, LINE_FEED]));
      recordBytes = Math.max(recordBytes, length + 1);
      fileBytes += length + 1;
    }
    const db = await fileDuckdb();
    using connection = await db.connect();
    const batch = { ...this.#batch([texts.path], "\n"), recordBytes, fileBytes };
    try {
      const { rowCount } = await interruptible(connection, copyCsv(connection, batch, rows.path, false), signal);
      return rowCount === 0;
    } catch (error) {
      if (isAboutText(error)) return false;
      throw error;
    }
  }

  #batch(paths: readonly string[], newLine: CsvBatch["newLine"]): Omit<CsvBatch, "fileBytes" | "recordBytes"> {
    const { dialect, columns, rescuedDataColumn: column } = this.#file;
    const rescue = column === undefined ? {} : { rescue: { column, names: columns.fields.map(({ name }) => name) } };
    return { paths, newLine, dialect, columns: this.#columns, schema: this.#sink.schema, ...rescue };
  }

  #fault({ kind, column, error }: CsvReject): Omit<Fault, "ordinal"> {
    const name = column === undefined ? undefined : this.#columns[column];
    if (kind === "cast" && name !== undefined)
      return { code: "TYPE", reason: noValue(this.#sink.schema, name), column: name };
    const expected = this.#columns.length;
    return { code: "PARSE", reason: PARSE_REASONS[error]?.(expected) ?? `it can't be taken apart (${error})` };
  }

  async #reject(segments: readonly SinkedSegment[], faults: readonly Fault[]): Promise<void> {
    for await (const { sink, bad } of this.#badRecords(segments, faults)) await sink.reject(bad);
  }

  /** The faulty records of the segments, in their order. */
  async *#badRecords(
    segments: readonly SinkedSegment[],
    faults: readonly Fault[],
  ): AsyncGenerator<Pick<SinkedSegment, "sink"> & { readonly bad: BadRecord }> {
    let next = 0;
    let firstRecord = 0;
    for (const segment of segments) {
      const own: Fault[] = [];
      const end = firstRecord + segment.recordCount;
      for (; next < faults.length && faults[next]!.ordinal < end; next++) {
        own.push({ ...faults[next]!, ordinal: faults[next]!.ordinal - firstRecord });
      }
      firstRecord = end;
      if (own.length === 0) continue;
      const { sink } = segment;
      for (const bad of badRecordsOf(this.#file, segment, await segment.file.read(), own)) yield { sink, bad };
    }
  }

  async #halves(segment: SinkedSegment): Promise<SinkedSegment[]> {
    const bytes = await segment.file.read();
    const recordCount = segment.recordCount >> 1;
    const { at, lines } = recordStart(this.#file, bytes, recordCount);
    const { record, line, byteOffset } = segment.place;
    const [first, second] = [await TemporaryFile.create(), await TemporaryFile.create()];
    await first.write(bytes.subarray(0, at));
    await second.write(bytes.subarray(at));
    const place = { record: record + recordCount, line: line + lines, byteOffset: byteOffset + at };
    return [
      { ...segment, file: first, sizeBytes: at, recordCount },
      { ...segment, file: second, sizeBytes: bytes.length - at, recordCount: segment.recordCount - recordCount, place },
    ];
  }
}

const PARSE_REASONS: Readonly<Record<string, (expected: number) => string>> = {
  "MISSING COLUMNS": (expected) => `it has fewer values than the ${expected} columns`,
  "TOO MANY COLUMNS": (expected) => `it has more values than the ${expected} columns`,
  "UNQUOTED VALUE": () => "a quoted value doesn't end where its quote is closed",
  "INVALID ENCODING": () => "it isn't UTF-8",
};

function noValue(schema: StructType, name: string): string {
  const type = schema.fields.find((field) => field.name === name)!.type;
  return `what is in column "${name}" is no value of type ${typeof type === "string" ? type : type.type}`;
}

function columnsFor(columns: StructType, table: StructType, rescued: string | undefined): (string | undefined)[] {
  return columns.fields.map(({ name }) => {
    if (name.toLowerCase() === rescued?.toLowerCase()) return undefined;
    const exact = table.fields.find((field) => field.name === name);
    return (exact ?? table.fields.find((field) => field.name.toLowerCase() === name.toLowerCase()))?.name;
  });
}

function countOf(segments: readonly SinkedSegment[]): number {
  return segments.reduce((sum, { recordCount }) => sum + recordCount, 0);
}

/** The rejected records and the misfits, which are counted without those, as faults of records in their order. */
function merged(
  rejected: readonly Fault[],
  misfits: readonly (CsvMisfit & Pick<LostRow, "error">)[],
  schema: StructType,
): Fault[] {
  const faults: Fault[] = [];
  let next = 0;
  for (const { row, column, kind, error } of misfits) {
    while (next < rejected.length && rejected[next]!.ordinal <= row + next) faults.push(rejected[next++]!);
    const ordinal = row + next;
    if (error !== undefined) faults.push({ ...recordFault(error), ordinal });
    else if (kind === "cast") faults.push({ code: "TYPE", reason: noValue(schema, column), column, ordinal });
    else faults.push({ code: "CONSTRAINT", reason: `column "${column}" must have a value`, column, ordinal });
  }
  return [...faults, ...rejected.slice(next)];
}

/** True for DuckDB's errors about what is in a file, not about files, memory or itself. */
function isAboutText(error: unknown): boolean {
  return error instanceof Error && /^(Invalid Input|Conversion) Error/.test(error.message);
}

async function interruptible<T>(connection: DuckdbConnection, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  const stop = () => connection.interrupt();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await work;
  } catch (error) {
    checkSignal(signal, "parsing CSV");
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
