import { DeltaError } from "../errors.js";
import type { DeletionVectorDescriptor } from "../log/actions.js";
import type { DeletionVector, DeletionVectorReader } from "../log/deletionVector.js";
import { type Footer, readFooter } from "../parquet/footer.js";
import type { ObjectStore } from "../storage/store.js";
import type { ScanFile } from "./plan.js";

type KeptRows = DeletionVector["keptRows"];

const allRows: KeptRows = () => "all";

/** Which rows the file's deletion vectors leave, and the footer, by which they were checked. */
export async function openVectors(
  store: ObjectStore,
  vectors: DeletionVectorReader,
  file: ScanFile,
  signal: AbortSignal | undefined,
): Promise<{ readonly footer?: Footer; readonly keptRows: KeptRows }> {
  if (file.deletionVector === undefined && file.within === undefined) return { keptRows: allRows };
  const open = async (descriptor: DeletionVectorDescriptor | undefined) =>
    descriptor === undefined ? undefined : vectors.read(descriptor, signal);
  const [footer, removed, within] = await Promise.all([
    readFooter(store, file, signal),
    open(file.deletionVector),
    open(file.within),
  ]);
  const last = Math.max(removed?.last ?? -1, within?.last ?? -1);
  if (last >= footer.rowCount) throw outOfRange(file, footer.rowCount, `removes row ${last}`);
  if (within === undefined) return { footer, keptRows: (start, count) => removed!.keptRows(start, count) };
  return { footer, keptRows: (start, count) => someOrNone(within.rowsBeyond(removed, start, count)) };
}

function someOrNone(rows: Uint32Array): Uint32Array | "none" {
  return rows.length === 0 ? "none" : rows;
}

/** The error for a vector that is of another file. */
export function outOfRange({ path }: ScanFile, rowCount: number, what: string): DeltaError {
  return new DeltaError(
    "DELTA_DELETION_VECTOR_INVALID_ROW_INDEX",
    `The deletion vector of ${path} ${what}, but the file has ${rowCount}. One of them is damaged; restore the table from a backup or go back to an older version.`,
    { path, rowCount },
  );
}
