import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { constantVector } from "../../arrow/constant.js";
import { toArrowSchema } from "../../arrow/schema.js";
import type { Snapshot } from "../../log/snapshot.js";
import { readAhead } from "../../read/readAhead.js";
import { ROW_INDEX } from "../../read/rowIndex.js";
import { scanFiles } from "../../read/scan.js";
import type { Predicate } from "../../schema/predicate.js";
import type { StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import { Spool } from "../../sql/merge/spool.js";
import { selected, spooledColumns, spooledFields } from "../../sql/merge/variantColumns.js";
import { FILE, POSITION } from "../../sql/removedRows.js";
import type { CandidateFile, CandidateFiles } from "../rewrite/candidateFiles.js";
import { only } from "../rewrite/matchedRows.js";

/** Files opened before their turn. */
const FILES_AHEAD = 2;

export interface TargetRowsOptions {
  readonly snapshot: Snapshot;
  readonly candidates: CandidateFiles;
  readonly predicate: Predicate | undefined;
  /** Top-level columns to read. */
  readonly columns: ReadonlySet<string>;
  readonly folder: string;
  readonly onBatch: (batch: RecordBatch) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Writes the columns of the target that expressions name to a work folder, with each row's place; gives the files that were read. */
export async function spoolTarget(
  options: TargetRowsOptions,
): Promise<{ readonly relation: string; readonly files: readonly CandidateFile[] }> {
  const { snapshot, candidates, predicate, columns, folder, onBatch, signal } = options;
  const named = snapshot.schema.fields.filter(({ name }) => columns.has(name));
  const exact = withVariantBytes({ type: "struct", fields: named }).fields;
  const stored: StructType = { type: "struct", fields: [...spooledFields(named), FILE, POSITION] };
  const { fields } = toArrowSchema(stored);
  const spool = new Spool(folder, "target", stored, signal);
  const files: CandidateFile[] = [];
  async function* rowsOf(file: CandidateFile): AsyncGenerator<RecordBatch> {
    const number = files.push(file) - 1;
    const read = { columns: [...exact, ROW_INDEX], predicate, signal };
    for await (const batch of scanFiles(snapshot, only(file), read)) {
      const place = constantVector("integer", number, batch.numRows);
      const position = batch.data.children[named.length]!;
      yield makeBatch(fields, [...spooledColumns(named, selected(batch, named)), place, position], batch.numRows);
    }
  }
  for await (const batch of readAhead(candidates, rowsOf, FILES_AHEAD)) {
    await spool.write(batch);
    onBatch(batch);
  }
  return { relation: await spool.finish(), files };
}
