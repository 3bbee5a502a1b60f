import fs from "node:fs";
import path from "node:path";
import { DeltaError } from "../../errors.js";
import { isMissing, localError } from "../../storage/localErrors.js";
import { decodeUrl, openStore, pathOfFileUrl, type StorageOptions } from "../../storage/open.js";
import type { ObjectMeta, ObjectStore } from "../../storage/store.js";
import { Glob, hasWildcards, isHiddenPath } from "./glob.js";

const S3_URL = /^s3a?:\/\/([^/]*)(?:\/(.*))?$/is;

/** A place that a person named, with what is there. */
export interface Operand {
  readonly store: ObjectStore;
  /** Undefined for a folder or a pattern. */
  readonly file: ObjectMeta | undefined;
  /** Everything it stands for is in here: `""` or ending in `/`. */
  readonly folder: string;
  /** True for a path in the store that it stands for. */
  covers(at: string): boolean;
  /** True for a folder of the store, ending in `/`, that may hold something it stands for. */
  enters(folder: string): boolean;
}

/** Stores of sources: one for the local disk, one for each bucket. */
export class SourceStores implements AsyncDisposable {
  readonly #options: StorageOptions;
  readonly #stores = new Map<string, ObjectStore>();

  constructor(options: StorageOptions) {
    // Who names a source means what its links lead to.
    this.#options = { ...options, followLinks: true };
  }

  /** The store that an operand is in, and its path there, as given. */
  locate(operand: string | URL): { readonly store: ObjectStore; readonly at: string } {
    const text = typeof operand === "string" ? operand : operand.href;
    const s3 = S3_URL.exec(typeof operand === "string" ? text : decodeUrl(text));
    if (s3 !== null) return { store: this.#open(`s3://${s3[1]}`), at: s3[2] ?? "" };
    if (/^file:/i.test(text)) return this.#local(pathOfFileUrl(text));
    if (/^[a-z][a-z0-9+.-]+:/i.test(text)) return { store: this.#open(text), at: "" };
    if (text === "") throw new DeltaError("DELTA_INVALID_ARGUMENT", "A source needs a path or a URL.", { operand });
    return this.#local(text);
  }

  #local(text: string): { readonly store: ObjectStore; readonly at: string } {
    const full = path.resolve(text);
    const { root } = path.parse(full);
    return { store: this.#open(root), at: full.slice(root.length).split(path.sep).join("/") };
  }

  #open(location: string): ObjectStore {
    const known = this.#stores.get(location);
    if (known !== undefined) return known;
    const store = openStore(location, this.#options);
    this.#stores.set(location, store);
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores.values()) await store[Symbol.asyncDispose]();
  }
}

/** What a file at a path in a store is called. */
export function urlOf(store: ObjectStore, at: string): string {
  const isFolder = store.url.endsWith("/") || store.url.endsWith(path.sep);
  return isFolder ? store.url + at : `${store.url}/${at}`;
}

/** Finds out what an operand stands for. What is there by that very name comes before a pattern. */
export async function resolveOperand(
  { store, at }: { readonly store: ObjectStore; readonly at: string },
  signal?: AbortSignal,
): Promise<Operand> {
  const name = at.replace(/\/+$/, "");
  if (name !== "" && name === at) {
    const file = await store.head(name, signal);
    if (file !== undefined) return fileOperand(store, file);
  }
  const isFolder = isLocalFolder(store, name);
  if (isFolder || !hasWildcards(name)) return folderOperand(store, name);
  const glob = new Glob(name);
  return {
    store,
    file: undefined,
    folder: glob.folder,
    covers: (one) => glob.fits(one),
    enters: (folder) => glob.mayHold(folder),
  };
}

function fileOperand(store: ObjectStore, file: ObjectMeta): Operand {
  const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
  return { store, file, folder, covers: (at) => at === file.path, enters: () => false };
}

function folderOperand(store: ObjectStore, name: string): Operand {
  const folder = name === "" ? "" : `${name}/`;
  const isShown = (at: string) => at.startsWith(folder) && !isHiddenPath(at.slice(folder.length));
  return { store, file: undefined, folder, covers: isShown, enters: isShown };
}

/** Throws DELTA_INVALID_ARGUMENT for what is neither a file nor a folder: it can't be read twice. */
function isLocalFolder(store: ObjectStore, name: string): boolean {
  if (!path.isAbsolute(store.url)) return false;
  const full = path.join(store.url, name);
  let found: fs.Stats | undefined;
  try {
    found = fs.statSync(full, { throwIfNoEntry: false });
  } catch (error) {
    if (!isMissing(error)) throw localError(error, "look at", full);
  }
  if (found === undefined || found.isDirectory() || found.isFile()) return found?.isDirectory() ?? false;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `${full} is a pipe or a device. Give it as the standard input, and give the job a name.`,
    { path: full },
  );
}
