import fs from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { checkSignal } from "../signal.js";
import { checkNameCount } from "./listingLimit.js";
import { isMissing, localError } from "./localErrors.js";
import { isTempName, statFile } from "./localFiles.js";
import type { ObjectMeta } from "./store.js";
import { compareUtf8, sortUtf8 } from "./utf8Order.js";

/** So many entries (1 µs each) are read before other work of the process gets its turn. */
const ENTRIES_PER_TURN = 5000;
/** Read from the folder at once: as quick as reading it whole, which would take any amount of memory. */
const BUFFERED_ENTRIES = 256;
/** So many `stat` calls (3 µs each) run before other work of the process gets its turn. */
const STATS_PER_TURN = 500;

/**
 * The entries of a folder in the order in which their paths list: names, folders with a `/` at the end (`a-b` comes
 * before `a/c`). A link to a file counts as a file, one to a folder isn't followed: it could lead anywhere, or in circles.
 */
async function readFolder(folder: string): Promise<string[]> {
  const names: string[] = [];
  let seen = 0;
  let entries: fs.Dir | undefined;
  try {
    entries = fs.opendirSync(folder, { bufferSize: BUFFERED_ENTRIES });
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      if (++seen % ENTRIES_PER_TURN === 0) {
        checkNameCount(seen, folder);
        await setImmediate();
      }
      const { name } = entry;
      if (entry.isDirectory()) names.push(`${name}/`);
      else if (isTempName(name)) continue;
      else if (entry.isFile() || (entry.isSymbolicLink() && statFile(path.join(folder, name)))) names.push(name);
    }
  } catch (error) {
    if (isMissing(error)) return [];
    throw localError(error, "list", folder);
  } finally {
    entries?.closeSync();
  }
  checkNameCount(seen, folder);
  return sortUtf8(names);
}

interface ListOptions {
  /** Done first of all, in the generator, where its errors are looked for. */
  readonly check: () => void;
  readonly startAfter: string;
  readonly signal: AbortSignal | undefined;
  /** Which folders are gone into; without it all are. */
  readonly enters: ((folder: string) => boolean) | undefined;
}

/** A folder that is being listed, and how far. */
interface Open {
  readonly prefix: string;
  readonly names: readonly string[];
  at: number;
}

/**
 * The files below `prefix`, with size and time, after `startAfter`, in UTF-8 byte order. One generator for all folders: handing
 * a file from one generator to another costs as much as its `stat`.
 */
export async function* listFiles(root: string, prefix: string, options: ListOptions): AsyncGenerator<ObjectMeta> {
  const { check, startAfter, signal, enters } = options;
  check();
  const base = path.join(root, "/");
  const open: Open[] = [{ prefix, names: await readFolder(base + prefix), at: 0 }];
  let stats = 0;
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    if (folder.at === folder.names.length) {
      open.pop();
      continue;
    }
    if (signal?.aborted) checkSignal(signal, `listing ${base}${folder.prefix}`);
    const name = folder.names[folder.at++]!;
    const at = folder.prefix + name;
    const isFolder = name.endsWith("/");
    if (startAfter !== "" && compareUtf8(at, startAfter) <= 0 && !(isFolder && startAfter.startsWith(at))) continue;
    if (isFolder) {
      if (enters?.(at) ?? true) open.push({ prefix: at, names: await readFolder(base + at), at: 0 });
      continue;
    }
    if (++stats % STATS_PER_TURN === 0) await setImmediate();
    const stat = statOrThrow(base + at);
    if (stat) yield { path: at, sizeBytes: stat.sizeBytes, modifiedMs: stat.modifiedMs };
  }
}

function statOrThrow(file: string): ReturnType<typeof statFile> {
  try {
    return statFile(file);
  } catch (error) {
    throw localError(error, "list", file);
  }
}

/** The paths of the files right in `prefix`, after `startAfter`, in UTF-8 byte order. */
export async function listFileNames(root: string, prefix: string, startAfter: string): Promise<string[]> {
  const paths: string[] = [];
  for (const name of await readFolder(path.join(root, prefix))) {
    if (name.endsWith("/")) continue;
    const at = prefix + name;
    if (startAfter === "" || compareUtf8(at, startAfter) > 0) paths.push(at);
  }
  return paths;
}
