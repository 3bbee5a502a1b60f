import type { DeletionVectorReader } from "../../log/deletionVector.js";
import type { Snapshot } from "../../log/snapshot.js";
import type { ScanFile } from "../../read/plan.js";
import type { StructField } from "../../schema/types.js";
import { checkSignal } from "../../signal.js";
import { alikeFiles, type DirectFile, directFiles, directRows, FILE_INDEX, ROW_NUMBER } from "../directFiles.js";
import { quoteName } from "../duckdb.js";
import { FILE, POSITION, withoutRemovedRows } from "../removedRows.js";

/** Footers that are read at a time. */
const FOOTERS = 64;
/** Kinds of files beyond which a statement's parts would take longer than the files. */
const MAX_GROUPS = 64;

const [file, position] = [FILE, POSITION].map(({ name }) => quoteName(name));

/** Files of a merge's target that DuckDB reads by itself, each with its number among all. */
export class TargetFiles {
  readonly fields: readonly StructField[];
  readonly #groups: readonly (readonly DirectFile<ScanFile>[])[];
  readonly #numbers: ReadonlyMap<ScanFile, number>;

  private constructor(
    fields: readonly StructField[],
    groups: readonly (readonly DirectFile<ScanFile>[])[],
    numbers: ReadonlyMap<ScanFile, number>,
  ) {
    this.fields = fields;
    this.#groups = groups;
    this.#numbers = numbers;
  }

  /** Those of the files from which DuckDB reads these columns, and rows' places, as they are. */
  static async of(
    snapshot: Snapshot,
    numbers: ReadonlyMap<ScanFile, number>,
    fields: readonly StructField[],
    signal: AbortSignal | undefined,
  ): Promise<TargetFiles> {
    const [files, direct]: [ScanFile[], DirectFile<ScanFile>[]] = [[...numbers.keys()], []];
    for (let first = 0; first < files.length; first += FOOTERS) {
      checkSignal(signal, "merge");
      direct.push(...(await directFiles(snapshot, files.slice(first, first + FOOTERS), fields, signal)));
    }
    return new TargetFiles(fields, alikeFiles(direct).slice(0, MAX_GROUPS), numbers);
  }

  get paths(): string[] {
    return this.#groups.flat().map(({ read }) => read.path);
  }

  get files(): ScanFile[] {
    return this.#groups.flat().map((one) => one.file);
  }

  /** A SELECT of the columns and places of all rows, removed ones too; undefined where there is no file. */
  get rows(): string | undefined {
    const parts = this.#groups.map((group) => {
      const numbers = group.map((one) => this.#numbers.get(one.file)!);
      const number = numbers.every((own, i) => own === i) ? FILE_INDEX : `([${numbers.join(", ")}])[${FILE_INDEX} + 1]`;
      return directRows(group, this.fields, [`${number}::INTEGER AS ${file}`, `${ROW_NUMBER}::BIGINT AS ${position}`]);
    });
    return parts.length === 0 ? undefined : parts.join(" UNION ALL ");
  }

  /** The same without the rows that are removed, whose places are written to `folder`. */
  async liveRows(
    vectors: DeletionVectorReader,
    folder: string,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const { rows } = this;
    if (rows === undefined) return undefined;
    const numbered = this.files.map((one) => [this.#numbers.get(one)!, one] as const);
    const without = await withoutRemovedRows(numbered, vectors, folder, "removed", signal);
    return without === "" ? rows : `SELECT * FROM (${rows})${without}`;
  }
}
