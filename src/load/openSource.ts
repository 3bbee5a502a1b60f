import path from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { DeltaError } from "../errors.js";
import type { StorageOptions } from "../storage/open.js";
import { jobNameOf } from "./jobName.js";
import type { LoadSource } from "./loadOptions.js";
import { listSources } from "./source/list.js";
import { SOURCE_FORMATS } from "./source/names.js";
import type { SourceFile, SourceFormat } from "./source/source.js";
import { streamSource } from "./source/streamSource.js";

/** The files of a load's source; each iteration lists them anew. */
export interface SourceFiles extends AsyncIterable<SourceFile>, AsyncDisposable {}

/** See {@link openSource}. */
export type OpenSource = typeof openSource;

/** The name of a source's job where it isn't given one. Throws `DELTA_INVALID_ARGUMENT` for a stream, which has none. */
export function defaultJob(source: LoadSource): string {
  if (!isStream(source)) return jobNameOf(operandsOf(source).map(absoluteUrl));
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    "A stream has no name that the next load could know it by: give the load a job (--job NAME).",
    {},
  );
}

/** Opens a load's source. `onSkip` gets the files that are passed over since their names tell no format. */
export function openSource(
  source: LoadSource,
  format: SourceFormat | undefined,
  storage: StorageOptions,
  onSkip: (url: string) => void,
): SourceFiles {
  return isStream(source) ? streamFile(source, format) : listSources(operandsOf(source), { format, storage, onSkip });
}

type StreamSource = { readonly stdin: Readable; readonly name: string };

function isStream(source: LoadSource): source is StreamSource {
  return typeof source === "object" && "stdin" in source;
}

function operandsOf(source: Exclude<LoadSource, StreamSource>): readonly (string | URL)[] {
  const operands = typeof source === "string" || source instanceof URL ? [source] : source;
  if (operands.length > 0) return operands;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", "There is no source to load.", {});
}

/** Without any look at storage: the same whatever is there. */
function absoluteUrl(operand: string | URL): string {
  const text = typeof operand === "string" ? operand : operand.href;
  if (/^file:/i.test(text)) return fileURLToPath(text);
  return /^[a-z][a-z0-9+.-]+:/i.test(text) ? text : path.resolve(text);
}

function streamFile({ stdin, name }: StreamSource, format: SourceFormat | undefined): SourceFiles {
  if (format === undefined) {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      `The stream ${name} tells no format: give the one it has (${SOURCE_FORMATS.join(", ")}).`,
      {
        name,
      },
    );
  }
  const file = streamSource(stdin, { name, format });
  return {
    async *[Symbol.asyncIterator]() {
      yield file;
    },
    [Symbol.asyncDispose]: async () => file.stream?.close(),
  };
}
