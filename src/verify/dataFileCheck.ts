import type { RecordBatch } from "apache-arrow";
import { checkNotNull } from "../arrow/notNull.js";
import { takeRows } from "../arrow/take.js";
import { DeltaError, hasCode } from "../errors.js";
import type { AddFile } from "../log/actions.js";
import type { DeletionVector } from "../log/deletionVector.js";
import { decodePath, storePath } from "../log/paths.js";
import { type Footer, readFooter } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import { conformFile } from "../read/conformFile.js";
import { checkFieldIds, columnFinder, columnNames } from "../read/fileColumns.js";
import { type FileStatistics, parseStatistics } from "../schema/fileStatistics.js";
import type { StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import type { Findings } from "./findings.js";
import { HashIndex, keyOf } from "./hashIndex.js";
import { parquetFits } from "./parquetFits.js";
import type { References } from "./references.js";
import { StatisticsCheck } from "./statisticsCheck.js";
import type { TableShape } from "./tableShape.js";
import { VectorCheck } from "./vectorCheck.js";

/** What the checks of live files work with. */
export interface FileCheckContext {
  readonly store: ObjectStore;
  readonly version: number;
  readonly shape: TableShape;
  readonly references: References;
  readonly findings: Findings;
  /** Whether values are read, or footers only. */
  readonly readsData: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What of a file was looked at. */
export interface CheckedFile {
  /** By the store. */
  readonly sizeBytes: number;
  /** Rows in it; those whose values were read, or that its footer counts. */
  readonly rowCount: number;
}

interface File {
  readonly path: string;
  readonly version: number;
}

const NOTHING: CheckedFile = { sizeBytes: 0, rowCount: 0 };

/** Checks the live data files of a version, each on its own. */
export class DataFileCheck {
  readonly #context: FileCheckContext;
  readonly #vectors: VectorCheck;
  readonly #seen = new HashIndex();

  constructor(context: FileCheckContext) {
    this.#context = context;
    this.#vectors = new VectorCheck(context.store, context.findings);
  }

  async check(add: AddFile): Promise<CheckedFile> {
    const { store, version, findings, signal } = this.#context;
    const file = this.#locate(add);
    if (file === undefined) return NOTHING;
    const sizeBytes = await this.#sizeOf(file, add.size);
    if (sizeBytes === undefined) return NOTHING;
    let footer: Footer;
    try {
      footer = await readFooter(store, { path: file.path, sizeBytes }, signal);
    } catch (error) {
      this.#reportUnreadable(file, error);
      return { sizeBytes, rowCount: 0 };
    }
    const statistics = this.#checkStatistics(add, file, footer.rowCount);
    const vector = await this.#vectorOf(add, file, footer.rowCount, statistics);
    const columns = this.#fittingColumns(file, footer);
    if (columns !== undefined) {
      const check = statistics && new StatisticsCheck(statistics, columns, { path: file.path, version }, findings);
      check?.checkForm(this.#context.shape.partitionColumns);
      if (this.#context.readsData && vector !== "wrong") await this.#checkRows(file, footer, columns, check, vector);
    }
    return { sizeBytes, rowCount: footer.rowCount };
  }

  #locate(add: AddFile): File | undefined {
    const { store, version, findings } = this.#context;
    const place = { version, path: decodePath(add.path) };
    let path: string;
    try {
      path = storePath(store, add.path);
    } catch (error) {
      if (!hasCode(error, "DELTA_UNSUPPORTED_FILE_PATH")) throw error;
      findings.add("file-outside", `${place.path} lies outside of the table's folder.`, place);
      return undefined;
    }
    const before = this.#seen.size;
    if (this.#seen.add(keyOf(path)) < before) {
      findings.add("file-repeated", `${path} is live more than once.`, { version, path });
    }
    return { path, version };
  }

  async #sizeOf(file: File, recorded: number): Promise<number | undefined> {
    const { store, references, findings, signal } = this.#context;
    // A listing may have come too early; where very many are missing, they are.
    const isAsked = findings.room("file-missing") > 0;
    const asked = () => (isAsked ? store.head(file.path, signal) : undefined);
    const sizeBytes = references.listedSize(file.path) ?? (await asked())?.sizeBytes;
    if (sizeBytes === undefined) this.#reportMissing(file);
    else if (sizeBytes !== recorded) {
      const message = `${file.path} has ${sizeBytes} bytes, but the log says ${recorded}.`;
      findings.add("file-size", message, file, { sizeBytes, recorded });
    }
    return sizeBytes;
  }

  #reportMissing(file: File): void {
    this.#context.findings.add("file-missing", `${file.path} isn't there.`, file);
  }

  #reportUnreadable(file: File, error: unknown): void {
    if (hasCode(error, "DELTA_FILE_NOT_FOUND")) this.#reportMissing(file);
    else if (hasCode(error, "DELTA_PARQUET_UNREADABLE")) {
      this.#context.findings.add("file-unreadable", error.message, file, error.data);
    } else throw error;
  }

  /** The statistics, where there are any that can be compared with rows. */
  #checkStatistics({ stats }: AddFile, file: File, rowCount: number): FileStatistics | undefined {
    const { findings } = this.#context;
    if (stats === undefined || stats === null || stats === "") return undefined;
    const statistics = typeof stats === "string" ? parseStatistics(stats) : undefined;
    if (statistics === undefined) {
      findings.add("stats-malformed", `The statistics of ${file.path} are no JSON object.`, file);
      return undefined;
    }
    const { numRecords } = statistics;
    if (numRecords !== undefined && numRecords !== rowCount) {
      const message = `${file.path} has ${rowCount} rows, but its statistics say ${numRecords}.`;
      findings.add("file-row-count", message, file, { rowCount, numRecords });
    }
    return statistics;
  }

  async #vectorOf(
    { deletionVector }: AddFile,
    file: File,
    rowCount: number,
    statistics: FileStatistics | undefined,
  ): Promise<DeletionVector | "wrong" | undefined> {
    if (deletionVector === undefined || deletionVector === null) return undefined;
    if (statistics?.numRecords === undefined) {
      const message = `${file.path} has a deletion vector, but no numRecords in its statistics.`;
      this.#context.findings.add("vector-without-row-count", message, file);
    }
    return (await this.#vectors.read(deletionVector, file, rowCount, this.#context.signal)) ?? "wrong";
  }

  /** The table's columns that the file must hold, without those whose type doesn't fit, which are reported. */
  #fittingColumns(file: File, footer: Footer): StructType | undefined {
    const { shape, findings } = this.#context;
    if (shape.schema === undefined) return undefined;
    const inFile = shape.schema.fields.filter(({ name }) => !shape.partitionColumns.includes(name));
    const namesOf = columnFinder(shape.columnMapping, footer);
    const fields = inFile.filter((field) => {
      const { name, type } = field;
      const [inParquet] = namesOf(field);
      const node = footer.root.children.find((child) => child.element.name === inParquet);
      if (node === undefined || parquetFits(node, type)) return true;
      const message = `Column "${name}" of ${file.path} can't be read as ${JSON.stringify(type)}.`;
      findings.add("file-schema", message, { ...file, column: name }, { type });
      return false;
    });
    return { type: "struct", fields };
  }

  async #checkRows(
    file: File,
    footer: Footer,
    columns: StructType,
    statistics: StatisticsCheck | undefined,
    vector: DeletionVector | undefined,
  ): Promise<void> {
    const { store, findings, signal, shape } = this.#context;
    const { columnMapping } = shape;
    const nulls = { told: false };
    let start = 0;
    try {
      if (columnMapping === "id") checkFieldIds(columns, footer);
      const paths = columnNames(columns, columnMapping, footer).map((name) => [name]);
      const options = { columns: paths, footer, signal };
      for await (const raw of readParquet(store, footer.file, options)) {
        const kept = vector?.keptRows(start, raw.numRows) ?? "all";
        const first = start;
        start += raw.numRows;
        if (kept === "none") continue;
        const conformed = conformFile(footer.file, raw, columns, columnMapping, first);
        const batch = kept === "all" ? conformed : takeRows(conformed, kept);
        const rowOf = (index: number) => first + (kept === "all" ? index : kept[index]!);
        this.#checkNulls(file, batch, columns, rowOf, nulls);
        statistics?.add(batch, rowOf);
      }
    } catch (error) {
      if (error instanceof DeltaError && VALUE_ERRORS.has(error.code)) {
        const { column } = error.data;
        findings.add("file-schema", error.message, { ...file, column: String(column) }, error.data);
      } else this.#reportUnreadable(file, error);
      return;
    }
    statistics?.finish();
  }

  /** Reports a file's first null where none may be. */
  #checkNulls(
    file: File,
    batch: RecordBatch,
    columns: StructType,
    rowOf: (index: number) => number,
    nulls: { told: boolean },
  ): void {
    if (nulls.told) return;
    try {
      checkNotNull(batch, columns, 0);
    } catch (error) {
      if (!hasCode(error, "DELTA_NOT_NULL_CONSTRAINT_VIOLATED")) throw error;
      nulls.told = true;
      const [row, column] = [rowOf(Number(error.data.row)), String(error.data.column)];
      const message = `Row ${row} of ${file.path} has no value in column "${column}", which allows no nulls.`;
      this.#context.findings.add("null-in-required-column", message, { ...file, column }, { row });
    }
  }
}

const VALUE_ERRORS: ReadonlySet<string> = new Set(["DELTA_SCHEMA_MISMATCH", "DELTA_VALUE_OUT_OF_RANGE"]);
