import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { constantVector } from "../../arrow/constant.js";
import { toArrowSchema } from "../../arrow/schema.js";
import { DeletionVectorReader } from "../../log/deletionVector.js";
import type { Snapshot } from "../../log/snapshot.js";
import { readAhead } from "../../read/readAhead.js";
import { ROW_INDEX } from "../../read/rowIndex.js";
import { scanFiles } from "../../read/scan.js";
import type { Predicate } from "../../schema/predicate.js";
import type { StructField, StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import { quoteName } from "../../sql/duckdb.js";
import { Spool } from "../../sql/merge/spool.js";
import { TargetFiles } from "../../sql/merge/targetFiles.js";
import { selected, spooledColumns, spooledFields } from "../../sql/merge/variantColumns.js";
import { FILE, POSITION } from "../../sql/removedRows.js";
import type { CandidateFile } from "../rewrite/candidateFiles.js";
import { liveRowCount, only } from "../rewrite/matchedRows.js";

/** Files opened before their turn. */
const FILES_AHEAD = 2;

export interface TargetRowsOptions {
  readonly snapshot: Snapshot;
  readonly files: readonly CandidateFile[];
  readonly predicate: Predicate | undefined;
  /** Top-level columns to read. */
  readonly columns: ReadonlySet<string>;
  readonly folder: string;
  readonly onRows: (count: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where a merge finds its target's rows. */
export interface TargetRows {
  /** Files that DuckDB reads to do so. */
  readonly paths: readonly string[];
  /** Whether some of them are the table's own. */
  readonly isDirect: boolean;
  /** What to select the columns, and each row's place, from; `folder` is one that DuckDB may read. */
  relation(folder: string): Promise<string>;
}

/**
 * Has the columns of the target that expressions name, with each row's place, read by DuckDB from the table's files, or, unless that is `direct`
 * and right, written to a work folder.
 */
export async function targetRows(options: TargetRowsOptions, direct: boolean): Promise<TargetRows> {
  const { snapshot, files, columns, onRows, signal } = options;
  const numbers = new Map(files.map((file, number) => [file, number]));
  const named = snapshot.schema.fields.filter(({ name }) => columns.has(name));
  const isPossible = direct && named.every(({ type }) => type !== "void");
  const read = isPossible ? await TargetFiles.of(snapshot, numbers, named, signal) : undefined;
  const taken = new Set<unknown>(read?.files);
  for (const file of files) if (taken.has(file)) onRows(await liveRowCount(snapshot, file, signal));
  const others = files.flatMap((file, number) => (taken.has(file) ? [] : [[file, number] as const]));
  const spool = others.length > 0 || taken.size === 0 ? await spoolTarget(options, named, others) : undefined;
  const written = await spool?.finish();
  return {
    paths: [...(read?.paths ?? []), ...(spool?.paths ?? [])],
    isDirect: taken.size > 0,
    relation: async (folder) => {
      const rows = await read?.liveRows(new DeletionVectorReader(snapshot.store), folder, signal);
      if (rows === undefined) return written!;
      const list = [...named, FILE, POSITION].map(({ name }) => quoteName(name)).join(", ");
      return written === undefined ? `(${rows})` : `(${rows} UNION ALL SELECT ${list} FROM ${written})`;
    },
  };
}

async function spoolTarget(
  { snapshot, predicate, folder, onRows, signal }: TargetRowsOptions,
  named: readonly StructField[],
  files: readonly (readonly [CandidateFile, number])[],
): Promise<Spool> {
  const exact = withVariantBytes({ type: "struct", fields: named }).fields;
  const stored: StructType = { type: "struct", fields: [...spooledFields(named), FILE, POSITION] };
  const { fields } = toArrowSchema(stored);
  const spool = new Spool(folder, "target", stored, signal);
  async function* listed() {
    yield* files;
  }
  async function* rowsOf([file, number]: readonly [CandidateFile, number]): AsyncGenerator<RecordBatch> {
    const read = { columns: [...exact, ROW_INDEX], predicate, signal };
    for await (const batch of scanFiles(snapshot, only(file), read)) {
      const place = constantVector("integer", number, batch.numRows);
      const position = batch.data.children[named.length]!;
      yield makeBatch(fields, [...spooledColumns(named, selected(batch, named)), place, position], batch.numRows);
    }
  }
  for await (const batch of readAhead(listed(), rowsOf, FILES_AHEAD)) {
    await spool.write(batch);
    onRows(batch.numRows);
  }
  return spool;
}
