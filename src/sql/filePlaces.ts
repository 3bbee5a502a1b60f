import type { Snapshot } from "../log/snapshot.js";
import type { ScanFile } from "../read/plan.js";
import { columnsOf, type Predicate } from "../schema/predicate.js";
import type { StructField } from "../schema/types.js";
import { abortedError, checkSignal } from "../signal.js";
import { alikeFiles, type DirectFile, directFiles, directRows, FILE_INDEX, ROW_NUMBER } from "./directFiles.js";
import { type DuckdbConnection, withWorkDatabase } from "./duckdb.js";
import { predicateSql } from "./predicateSql.js";

/** Places of rows by their file. */
export type FilePlaces<File> = ReadonlyMap<File, Uint32Array>;

/** Rows of one statement, about: their places are JavaScript numbers until they are sorted out. */
const STATEMENT_ROWS = 4_000_000;
const UNKNOWN_ROWS = 1_000_000;

/**
 * Places of the rows, removed ones too, for which a predicate is true, ascending, of those files in which DuckDB finds them by itself:
 * files of this machine in the forms that {@link directRead} knows. Where the predicate fails on a row there are none for its
 * file: the row may be one that counts no more.
 */
export async function filePlaces<File extends ScanFile>(
  snapshot: Snapshot,
  files: readonly File[],
  predicate: Predicate,
  signal?: AbortSignal,
): Promise<FilePlaces<File>> {
  const names = new Set(columnsOf(predicate).map(([name]) => name));
  const fields = snapshot.schema.fields.filter(({ name }) => names.has(name));
  if (fields.length === 0) return new Map();
  const direct = await directFiles(snapshot, files, fields, signal);
  if (direct.length === 0) return new Map();
  const places = new Map<File, Uint32Array>();
  const condition = predicateSql(predicate, snapshot.schema);
  const work = async (db: DuckdbConnection) => {
    for (const some of statements(direct)) {
      checkSignal(signal, "a change of rows");
      const found = await placesIn(db, some, fields, condition, signal);
      for (const [i, { file }] of some.entries()) {
        const own = found?.[i];
        if (own !== undefined) places.set(file, own);
      }
    }
  };
  await withWorkDatabase(
    work,
    direct.map(({ read }) => read.path),
  );
  return places;
}

/** Files that one statement reads: of the same columns and constants, and not of too many rows. */
export function* statements<File extends ScanFile>(
  direct: readonly DirectFile<File>[],
): Generator<readonly DirectFile<File>[]> {
  for (const group of alikeFiles(direct)) {
    let [some, rows]: [DirectFile<File>[], number] = [[], 0];
    for (const one of group) {
      some.push(one);
      rows += one.file.numRecords ?? UNKNOWN_ROWS;
      if (rows < STATEMENT_ROWS) continue;
      yield some;
      [some, rows] = [[], 0];
    }
    if (some.length > 0) yield some;
  }
}

/** The places in each of the files; undefined where the condition fails. */
async function placesIn(
  db: DuckdbConnection,
  files: readonly DirectFile<unknown>[],
  fields: readonly StructField[],
  condition: string,
  signal: AbortSignal | undefined,
): Promise<Uint32Array[] | undefined> {
  const rows = directRows(files, fields, [FILE_INDEX, ROW_NUMBER]);
  const stop = () => db.interrupt();
  signal?.addEventListener("abort", stop, { once: true });
  let found: readonly (readonly unknown[])[];
  try {
    found = await db.columns(
      `SELECT ${FILE_INDEX}::INTEGER, ${ROW_NUMBER}::UINTEGER
       FROM (${rows}) WHERE ${condition}`,
    );
  } catch {
    // Who evaluates it on the rows that count tells what is wrong with it, if anything is.
    if (signal?.aborted) throw abortedError(signal, "a change of rows");
    return undefined;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  const [inFile = [], places = []] = found as Partial<readonly [readonly number[], readonly number[]]>;
  const byFile = files.map(() => [] as number[]);
  for (let i = 0; i < places.length; i++) byFile[inFile[i]!]!.push(places[i]!);
  return byFile.map((own) => Uint32Array.from(own).sort());
}
