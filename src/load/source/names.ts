import { DeltaError } from "../../errors.js";
import type { SourceCompression, SourceFormat } from "./source.js";

/** What files of rows may hold. */
export const SOURCE_FORMATS = ["csv", "jsonl", "parquet", "arrow"] as const satisfies readonly SourceFormat[];

const FORMATS: Readonly<Record<string, SourceFormat>> = {
  csv: "csv",
  tsv: "csv",
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "jsonl",
  jsonlines: "jsonl",
  parquet: "parquet",
  arrow: "arrow",
  arrows: "arrow",
  feather: "arrow",
  ipc: "arrow",
};

const COMPRESSIONS: Readonly<Record<string, SourceCompression>> = {
  gz: "gzip",
  gzip: "gzip",
  zst: "zstd",
  zstd: "zstd",
};

const DELIMITERS: Readonly<Record<string, string>> = { tsv: "\t" };

/** What a file's name tells about what is in it. */
export interface NameFacts {
  /** Undefined where the name tells none. */
  readonly format: SourceFormat | undefined;
  readonly compression: SourceCompression;
  readonly delimiter: string | undefined;
}

/** Reads a name's extensions, in any case: `.csv`, `.tsv.gz`. */
export function factsOfName(name: string): NameFacts {
  const extensions = name
    .slice(name.lastIndexOf("/") + 1)
    .toLowerCase()
    .split(".")
    .slice(1);
  const compression = own(COMPRESSIONS, extensions.at(-1));
  if (compression !== undefined) extensions.pop();
  const extension = extensions.at(-1);
  return {
    format: own(FORMATS, extension),
    compression: compression ?? "none",
    delimiter: own(DELIMITERS, extension),
  };
}

/** True for the name of an archive, whose files are files of their own. */
export function isArchiveName(name: string): boolean {
  return name.toLowerCase().endsWith(".zip");
}

/** The error for a file whose name tells no format. */
export function formatUnknown(url: string): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `The name of ${url} tells no format. Say which one it has (${SOURCE_FORMATS.join(", ")}).`,
    { url },
  );
}

function own<T>(table: Readonly<Record<string, T>>, key: string | undefined): T | undefined {
  return key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}
