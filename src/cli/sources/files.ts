import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { DeltaError } from "../../errors.js";
import { UsageError } from "../usage.js";

/** What files of rows may hold. */
export const FILE_FORMATS = ["csv", "jsonl", "parquet", "arrow"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, FileFormat>> = {
  ".csv": "csv",
  ".tsv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "jsonl",
  ".jsonlines": "jsonl",
  ".parquet": "parquet",
  ".arrow": "arrow",
  ".arrows": "arrow",
  ".feather": "arrow",
  ".ipc": "arrow",
};

/** A file of the command line, or the standard input. */
export interface InputFile {
  /** As people call it. */
  readonly name: string;
  /** Undefined for the standard input. */
  readonly path: string | undefined;
  readonly format: FileFormat;
  readonly delimiter: string | undefined;
}

/** The inputs that the operands name; the standard input where there are none. Throws {@link UsageError}. */
export function inputFiles(operands: readonly string[], format: FileFormat | undefined): InputFile[] {
  const paths = operands.length === 0 ? ["-"] : operands;
  if (paths.filter((path) => path === "-").length > 1) {
    throw new UsageError('"-" is given twice', "The standard input can be read once only.");
  }
  return paths.map((path) => inputFile(path, format));
}

function inputFile(path: string, asked: FileFormat | undefined): InputFile {
  if (path === "-") return { name: "standard input", path: undefined, format: asked ?? "jsonl", delimiter: undefined };
  const extension = extname(path).toLowerCase();
  const format = asked ?? BY_EXTENSION[extension];
  if (format === undefined) {
    const what = extension === "" ? "no extension" : `the extension ${extension}`;
    throw new UsageError(`${path} has ${what}, which tells no format`, `Give --format ${FILE_FORMATS.join("|")}.`);
  }
  return { name: path, path, format, delimiter: extension === ".tsv" ? "\t" : undefined };
}

/** Throws where a file can't be read, before any work is begun. */
export async function checkFiles(files: readonly InputFile[]): Promise<void> {
  for (const { path } of files) {
    if (path === undefined) continue;
    const found = await stat(path).catch((error: unknown) => {
      throw fileError(path, error);
    });
    if (found.isDirectory()) {
      throw new DeltaError("DELTA_INVALID_ARGUMENT", `${path} is a folder. Name the files in it.`, { path });
    }
  }
}

/** What went wrong with a file that isn't the table's; errors that have a code of ours stay what they are. */
export function fileError(path: string, cause: unknown): unknown {
  if (cause instanceof DeltaError || !(cause instanceof Error) || !("code" in cause)) return cause;
  switch (cause.code) {
    case "ENOENT":
    case "ENOTDIR":
      return new DeltaError("DELTA_FILE_NOT_FOUND", `There is no file ${path}.`, { path }, cause);
    case "EACCES":
    case "EPERM":
      return new DeltaError("DELTA_ACCESS_DENIED", `The file ${path} may not be read.`, { path }, cause);
    case "EISDIR":
      return new DeltaError("DELTA_INVALID_ARGUMENT", `${path} is a folder, not a file.`, { path }, cause);
    case "ABORT_ERR":
      return new DeltaError("DELTA_ABORTED", `Reading ${path} was stopped.`, { path }, cause);
    default:
      return cause;
  }
}

/** The same error, its message saying which file and line it is about. */
export function locatedError(error: unknown, file: string, line?: number): unknown {
  if (!(error instanceof DeltaError) || error.code === "DELTA_ABORTED" || error.message.startsWith(file)) return error;
  const where = line === undefined ? file : `${file}, line ${line}`;
  // The row's number counts from 0 and over all files.
  const what = line === undefined ? error.message : error.message.replace(/^Row \d+[,:]? /, "");
  const data = { ...error.data, file, ...(line === undefined ? {} : { line }) };
  return new DeltaError(error.code, `${where}: ${what}`, data, error.cause ?? error);
}
