import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { DeltaError } from "../../errors.js";
import { factsOfName, SOURCE_FORMATS } from "../../load/source/names.js";
import type { SourceFormat } from "../../load/source/source.js";
import { UsageError } from "../usage.js";

/** A file of the command line, or the standard input. */
export interface InputFile {
  /** As people call it. */
  readonly name: string;
  /** Undefined for the standard input. */
  readonly path: string | undefined;
  readonly format: SourceFormat;
  readonly delimiter: string | undefined;
}

/** The inputs that the operands name; the standard input where there are none. Throws {@link UsageError}. */
export function inputFiles(operands: readonly string[], format: SourceFormat | undefined): InputFile[] {
  const paths = operands.length === 0 ? ["-"] : operands;
  if (paths.filter((path) => path === "-").length > 1) {
    throw new UsageError('"-" is given twice', "The standard input can be read once only.");
  }
  return paths.map((path) => inputFile(path, format));
}

function inputFile(path: string, asked: SourceFormat | undefined): InputFile {
  if (path === "-") return { name: "standard input", path: undefined, format: asked ?? "jsonl", delimiter: undefined };
  const facts = factsOfName(path);
  const format = asked ?? (facts.compression === "none" ? facts.format : undefined);
  if (format === undefined) {
    const extension = extname(path).toLowerCase();
    const what = extension === "" ? "no extension" : `the extension ${extension}`;
    throw new UsageError(`${path} has ${what}, which tells no format`, `Give --format ${SOURCE_FORMATS.join("|")}.`);
  }
  return { name: path, path, format, delimiter: facts.delimiter };
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
