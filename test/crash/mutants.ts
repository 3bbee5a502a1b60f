import fs from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { isTempName } from "#src/storage/localFiles.js";
import type { ObjectStore, PutOutcome } from "#src/storage/store.js";
import { type FsFunctions, tracked } from "./patchFs.js";
import type { Build } from "./world.js";

/** A bug put between the product and the disk, and the run whose crashes show it. */
export interface Mutant {
  readonly bug: string;
  readonly build: Build;
  /** The scenario's name; that of a death without its number of the call. */
  readonly caughtBy: string;
  /** What the first state that shows it is found to be. */
  readonly shows: RegExp;
}

type Flushed = Parameters<Parameters<typeof tracked>[1]>[0];

/** Leaves out the flushes that `isIt` picks. */
function withoutFlush(isIt: (flushed: Flushed) => boolean): Build {
  return { fs: (real) => tracked(real, (flushed) => !isIt(flushed)) };
}

const isFile = (flushed: Flushed, ending: string) => !flushed.isFolder && flushed.path.endsWith(ending);

function wrapped(methods: (inner: ObjectStore, root: string) => Partial<ObjectStore>): Build {
  return {
    store: (inner, root) => {
      const own = methods(inner, root);
      return new Proxy(inner, {
        get: (target, name: keyof ObjectStore) => {
          const member = own[name] ?? target[name];
          return typeof member === "function" ? member.bind(target) : member;
        },
      });
    },
  };
}

const DATA = /^data file .* isn't what was written$/;
const LOST = /^lost ., which was acknowledged$/;
const TORN = /^not a prefix: a,b,null of|DELTA_LOG_CORRUPT/;
const GAP = /DELTA_VERSIONS_NOT_CONTIGUOUS/;
const OVERWRITTEN = /^not a prefix|^lost/;
const STUCK = /^the run fails: .*EEXIST/;

export const MUTANTS: readonly Mutant[] = [
  {
    bug: "data files aren't flushed",
    build: withoutFlush((flushed) => isFile(flushed, ".parquet")),
    caughtBy: "appends to a table",
    shows: DATA,
  },
  {
    bug: "a commit's temporary file isn't flushed",
    build: withoutFlush((flushed) => isFile(flushed, ".tmp")),
    caughtBy: "appends to a table",
    shows: TORN,
  },
  {
    bug: "the log's folder isn't flushed after the claim",
    build: withoutFlush(({ lastChange }) => lastChange === "link"),
    caughtBy: "appends to a table",
    shows: LOST,
  },
  {
    bug: "the folder that a new folder was made in isn't flushed",
    build: withoutFlush(({ lastChange }) => lastChange === "mkdir"),
    caughtBy: "creates the table",
    shows: LOST,
  },
  {
    bug: "the folder of a new data file isn't flushed",
    build: withoutFlush(({ lastChange, isFolder, path: at }) => isFolder && lastChange === "create" && !isLog(at)),
    caughtBy: "appends to a table",
    shows: DATA,
  },
  {
    bug: "a folder that is there is taken for durable, though it is empty",
    build: {
      fs: (real) => ({ opendirSync: ((at: string) => neverEmpty(real.opendirSync(at))) as typeof fs.opendirSync }),
    },
    caughtBy: "creates the table, is killed at call #; another one appends",
    shows: LOST,
  },
  {
    bug: "commits of others aren't flushed before the next is claimed",
    build: withoutFlush(({ lastChange, isFolder, path: at }) => isFolder && lastChange === "create" && isLog(at)),
    caughtBy: "creates the table, is killed at call #; another one appends",
    shows: GAP,
  },
  {
    bug: "an append is skipped for a commit that isn't flushed",
    build: wrapped(() => ({ settle: async () => {} })),
    caughtBy: "appends with txn, is killed at call #; the append is repeated",
    shows: LOST,
  },
  {
    bug: "the claim renames instead of linking",
    build: { fs: (real) => ({ linkSync: (from, to) => real.renameSync(from, to) }) },
    caughtBy: "appends, while at flush # another one does",
    shows: OVERWRITTEN,
  },
  {
    bug: "commits are written in place",
    build: wrapped((_, root) => ({
      putIfAbsent: async (at, bytes, _signal, after) => {
        await after;
        return putInPlace(path.join(root, at), bytes);
      },
    })),
    caughtBy: "appends to a table",
    shows: TORN,
  },
  {
    bug: "nobody waits for flushes to end",
    build: {
      fs: (real) => ({
        fsync: ((fd: number, done: (error: null) => void) => {
          real.fsync(fd, () => {});
          queueMicrotask(() => done(null));
        }) as typeof fs.fsync,
      }),
    },
    caughtBy: "appends to a table",
    shows: TORN,
  },
  {
    bug: "data files are written after the commit that names them",
    build: wrapped((inner) => {
      const later: (() => Promise<void>)[] = [];
      return {
        putNew: async (at, parts) => {
          later.push(() => inner.putNew(at, parts));
        },
        putIfAbsent: async (at, bytes) => {
          const outcome = await inner.putIfAbsent(at, bytes);
          for (const put of later.splice(0)) await put();
          return outcome;
        },
      };
    }),
    caughtBy: "appends to a table",
    shows: DATA,
  },
  {
    bug: "the claim doesn't wait for the data files that it names",
    build: wrapped((inner) => ({
      putNew: async (...args) => {
        // On a quick disk both end at once.
        await setTimeout(20);
        return inner.putNew(...args);
      },
      putIfAbsent: (at, bytes) => inner.putIfAbsent(at, bytes),
    })),
    caughtBy: "appends to a table",
    shows: DATA,
  },
  {
    bug: "temporary files all have one name",
    build: { fs: (real) => ({ ...sameTemporary(real) }) },
    caughtBy: "creates the table, is killed at call #; another one appends",
    shows: STUCK,
  },
  {
    bug: "a write cut short is taken for a whole one",
    build: {
      fs: (real) => ({
        writeSync: ((fd: number, bytes: Uint8Array, offset: number, length: number) => {
          real.writeSync(fd, bytes, offset, Math.ceil(length / 2));
          return length;
        }) as typeof fs.writeSync,
      }),
    },
    caughtBy: "creates the table",
    shows: TORN,
  },
];

function isLog(at: string): boolean {
  return path.basename(at) === "_delta_log";
}

function neverEmpty(entries: fs.Dir): fs.Dir {
  const readSync = () => new fs.Dirent();
  return Object.assign(entries, { readSync });
}

async function putInPlace(file: string, bytes: Uint8Array): Promise<PutOutcome> {
  if (fs.existsSync(file)) return "exists";
  const folder = path.dirname(file);
  if (!fs.existsSync(folder)) fs.mkdirSync(folder);
  const fd = fs.openSync(file, "wx");
  fs.writeSync(fd, bytes, 0, bytes.length);
  await flush(fd);
  const log = fs.openSync(folder, "r");
  await flush(log);
  return "created";
}

async function flush(fd: number): Promise<void> {
  await new Promise<void>((resolve) => fs.fsync(fd, () => resolve()));
  fs.closeSync(fd);
}

function sameTemporary(real: FsFunctions): Partial<FsFunctions> {
  const at = (file: fs.PathLike) =>
    isTempName(path.basename(String(file)))
      ? path.join(path.dirname(String(file)), ".delta-00000000-0000-4000-8000-000000000000.tmp")
      : file;
  return {
    openSync: (file, flags, mode) => real.openSync(at(file), flags, mode),
    linkSync: (from, to) => real.linkSync(at(from), to),
    renameSync: (from, to) => real.renameSync(at(from), to),
    unlinkSync: (file) => real.unlinkSync(at(file)),
  };
}
