import { DeltaError } from "../../errors.js";
import type { StorageOptions } from "../../storage/open.js";
import type { ObjectMeta, ObjectStore } from "../../storage/store.js";
import { compareUtf8 } from "../../storage/utf8Order.js";
import { unreadable } from "./errors.js";
import { isHiddenPath } from "./glob.js";
import { identityOf } from "./identity.js";
import { factsOfName, formatUnknown, isArchiveName } from "./names.js";
import { type Operand, resolveOperand, SourceStores, urlOf } from "./operand.js";
import type { SourceCompression, SourceFile, SourceFormat } from "./source.js";
import { archiveEntries } from "./zipDirectory.js";

export interface ListSourcesOptions {
  /** Of all files, whatever their names; without it files whose names tell none are left out of folders. */
  readonly format?: SourceFormat | undefined;
  /** Of all files, whatever their names. */
  readonly compression?: SourceCompression | undefined;
  /** How to reach the sources' places. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets the files of folders, patterns and archives that are left out because their names tell no format. */
  readonly onSkip?: ((url: string) => void) | undefined;
}

/** The files that operands stand for. Each iteration lists them anew. */
export interface SourceListing extends AsyncIterable<SourceFile>, AsyncDisposable {}

/**
 * Lists sources: local paths, `file:` and `s3://` URLs of files, folders (with all that is below), patterns (`data/2026-*` `/**` `/*.csv.gz`) and zip
 * archives, whose files count as files of their own. The files come in UTF-8 order of their paths within each operand, and once
 * though several operands stand for them. Hidden ones (`_…`, `.…`) come only by their own name. Folders aren't held in
 * memory; no request is made for a file. The files can be opened until the listing is disposed.
 *
 * Throws DELTA_FILE_NOT_FOUND for an operand without a file, DELTA_INVALID_ARGUMENT for a file whose name tells no
 * format, DELTA_INPUT_UNREADABLE for a damaged archive, DELTA_UNSUPPORTED_URL, DELTA_ACCESS_DENIED.
 */
export function listSources(operands: readonly (string | URL)[], options: ListSourcesOptions = {}): SourceListing {
  const stores = new SourceStores(options.storage ?? {});
  return {
    [Symbol.asyncIterator]: () => listed(operands, options, stores),
    [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose](),
  };
}

async function* listed(
  operands: readonly (string | URL)[],
  options: ListSourcesOptions,
  stores: SourceStores,
): AsyncGenerator<SourceFile> {
  const before: Operand[] = [];
  for (const given of operands) {
    const operand = await resolveOperand(stores.locate(given), options.signal);
    let count = 0;
    let skipped = 0;
    const skip = (url: string) => {
      skipped++;
      options.onSkip?.(url);
    };
    for await (const meta of objectsOf(operand, options.signal)) {
      if (before.some((one) => one.store === operand.store && one.covers(meta.path))) {
        count++;
        continue;
      }
      for await (const file of filesOf(operand, meta, options, skip)) {
        count++;
        yield file;
      }
    }
    if (count === 0) throw nothingFound(operand, given, skipped);
    before.push(operand);
  }
}

async function* objectsOf(
  { store, file, folder, covers, enters }: Operand,
  signal?: AbortSignal,
): AsyncGenerator<ObjectMeta> {
  if (file !== undefined) {
    yield file;
    return;
  }
  for await (const meta of store.list(folder, undefined, signal, enters)) if (covers(meta.path)) yield meta;
}

/** The object itself, or the files in it. */
async function* filesOf(
  operand: Operand,
  meta: ObjectMeta,
  options: ListSourcesOptions,
  skip: (url: string) => void,
): AsyncGenerator<SourceFile> {
  const stored = storedFile(operand.store, meta);
  if (!isArchiveName(meta.path)) {
    const file = sourceFile(stored, meta.path, options);
    if (file !== undefined) yield file;
    else if (operand.file === undefined) skip(stored.url);
    else throw formatUnknown(stored.url);
    return;
  }
  const entries = await archiveEntries(stored, options.signal);
  entries.sort((a, b) => compareUtf8(a.name, b.name));
  for (const [index, entry] of entries.entries()) {
    if (isHiddenPath(entry.name)) continue;
    if (entry.name === entries[index + 1]?.name) {
      throw unreadable(stored.url, entry.offset, `the archive has two files "${entry.name}"`);
    }
    const url = `${stored.url}#${entry.name}`;
    const file = sourceFile({ ...stored, url }, entry.name, options);
    if (file === undefined) skip(url);
    else yield { ...file, entry };
  }
}

function storedFile(store: ObjectStore, meta: ObjectMeta): Pick<SourceFile, "url" | "store" | "path" | "identity"> {
  return { url: urlOf(store, meta.path), store, path: meta.path, identity: identityOf(meta) };
}

function sourceFile(
  stored: Pick<SourceFile, "url" | "store" | "path" | "identity">,
  name: string,
  asked: Pick<ListSourcesOptions, "format" | "compression">,
): SourceFile | undefined {
  const facts = factsOfName(name);
  const format = asked.format ?? facts.format;
  if (format === undefined) return undefined;
  const { delimiter } = facts;
  return { ...stored, format, compression: asked.compression ?? facts.compression, delimiter };
}

function nothingFound({ store, folder }: Operand, given: string | URL, skipped: number): DeltaError {
  const operand = String(given);
  const why =
    skipped === 0
      ? ""
      : `; ${skipped === 1 ? "the name of the one file there tells" : `the names of the ${skipped} files there tell`} no format: say which one (--format)`;
  return new DeltaError("DELTA_FILE_NOT_FOUND", `There is no file to load at ${operand}${why}.`, {
    path: urlOf(store, folder),
    operand,
    skipped,
  });
}
