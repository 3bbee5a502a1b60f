import { AsyncLocalStorage } from "node:async_hooks";
import fs from "node:fs";
import path from "node:path";
import type { Base, Call, FileId, Trace } from "./calls.js";
import { type FsFunctions, patchFs } from "./patchFs.js";

/** What a call is about to do, for those who want to stop it. */
export interface Attempt {
  readonly op: Exclude<Call["op"], "acknowledge">;
  /** The file or folder; the new name for link and rename. */
  readonly path: string;
}

export interface ProcessOptions {
  /** Dies instead of making its call of this number, from 0 on. */
  readonly diesAt?: number;
  /** An error instead of the call. */
  readonly fault?: (attempt: Attempt) => NodeJS.ErrnoException | undefined;
  /** Runs before a flush begins, outside this process: a moment for others. */
  readonly beforeFlush?: (attempt: Attempt) => Promise<void>;
}

/** A part of the run that can die alone, as a process does: its calls stop, and nobody cleans up after it. */
interface SimulatedProcess extends ProcessOptions {
  calls: number;
  isDead: boolean;
  readonly die: () => void;
}

class Killed extends Error {}

interface OpenFile {
  readonly path: string;
  /** Undefined for a folder. */
  readonly file: FileId | undefined;
}

/** Calls that the model has no notion of: better to fail than to miss one. */
const UNKNOWN_CALLS = [
  "appendFileSync",
  "appendFile",
  "copyFileSync",
  "copyFile",
  "cpSync",
  "createWriteStream",
  "fdatasync",
  "fdatasyncSync",
  "fsyncSync",
  "ftruncateSync",
  "ftruncate",
  "link",
  "mkdir",
  "mkdtempSync",
  "open",
  "rename",
  "rmSync",
  "rm",
  "rmdirSync",
  "rmdir",
  "symlinkSync",
  "symlink",
  "truncateSync",
  "truncate",
  "unlink",
  "writeFileSync",
  "writeFile",
  "writevSync",
  "writev",
] as const;

/**
 * Notes the calls of the file system below a folder, with their bytes, while it is installed. Flushes aren't passed on:
 * what they would have made durable is for the model to say, and the run is faster.
 */
export class Recorder {
  readonly #root: string;
  readonly #base: Base;
  readonly #calls: Call[] = [];
  readonly #open = new Map<number, OpenFile>();
  readonly #ids = new Map<string, FileId>();
  readonly #current = new AsyncLocalStorage<SimulatedProcess>();
  readonly #restore: () => void;
  #files = 0;

  constructor(root: string) {
    this.#root = root;
    this.#base = readBase(root);
    for (const file of this.#base.files.keys()) this.#ids.set(file, this.#files++);
    const restore = patchFs((real) => this.#replacements(real));
    const { unlink } = fs.promises;
    fs.promises.unlink = async (file) => fs.unlinkSync(file);
    this.#restore = () => {
      fs.promises.unlink = unlink;
      restore();
    };
  }

  /** Takes the hooks away. */
  stop(): void {
    this.#restore();
  }

  get trace(): Trace {
    return { base: this.#base, calls: this.#calls };
  }

  /** How many calls there are so far. */
  get length(): number {
    return this.#calls.length;
  }

  /** Runs `action` as a process; false where it died. */
  async process(action: () => Promise<void>, options: ProcessOptions = {}): Promise<boolean> {
    let die = () => {};
    const death = new Promise<false>((resolve) => {
      die = () => resolve(false);
    });
    const simulated: SimulatedProcess = { ...options, calls: 0, isDead: false, die };
    const life = this.#current.run(simulated, async () => {
      await action();
      return true;
    });
    const outcome = await Promise.race([life, death]);
    // What is left of a dead one fails on its own; nobody waits for that.
    life.catch(() => undefined);
    return outcome;
  }

  /** Notes that the append with this tag has returned to its caller. */
  acknowledge(tag: string): void {
    if (this.#current.getStore()?.isDead) throw new Killed();
    this.#calls.push({ op: "acknowledge", tag });
  }

  #relative(file: fs.PathLike): string | undefined {
    const relative = path.relative(this.#root, String(file));
    return relative.startsWith("..") ? undefined : relative;
  }

  /** Before each call: it may be the last of its process, or fail. */
  #attempt(attempt: Attempt): void {
    const simulated = this.#current.getStore();
    if (simulated === undefined) return;
    if (!simulated.isDead && simulated.calls++ === simulated.diesAt) {
      simulated.isDead = true;
      simulated.die();
    }
    if (simulated.isDead) throw new Killed();
    const fault = simulated.fault?.(attempt);
    if (fault !== undefined) throw fault;
  }

  #replacements(real: FsFunctions): Partial<FsFunctions> {
    const inside = (file: fs.PathLike): string | undefined => this.#relative(file);
    const replaced: Partial<FsFunctions> = {
      openSync: (file, flags, mode) => {
        const at = inside(file);
        if (at === undefined) return real.openSync(file, flags, mode);
        if (flags === "r" || typeof flags === "number") {
          const fd = real.openSync(file, flags);
          this.#open.set(fd, { path: at, file: this.#ids.get(at) });
          return fd;
        }
        if (flags !== "wx") throw new Error(`The model doesn't know open with ${flags}: ${at}`);
        this.#attempt({ op: "create", path: at });
        const fd = real.openSync(file, flags);
        const id = this.#files++;
        this.#ids.set(at, id);
        this.#open.set(fd, { path: at, file: id });
        this.#calls.push({ op: "create", path: at, file: id });
        return fd;
      },
      closeSync: (fd) => {
        this.#open.delete(fd);
        real.closeSync(fd);
      },
      linkSync: (from, to) => {
        const names = this.#pair(from, to);
        this.#attempt({ op: "link", path: names.to });
        real.linkSync(from, to);
        this.#ids.set(names.to, this.#ids.get(names.from)!);
        this.#calls.push({ op: "link", ...names });
      },
      renameSync: (from, to) => {
        const names = this.#pair(from, to);
        this.#attempt({ op: "rename", path: names.to });
        real.renameSync(from, to);
        this.#ids.set(names.to, this.#ids.get(names.from)!);
        this.#ids.delete(names.from);
        this.#calls.push({ op: "rename", ...names });
      },
      unlinkSync: (file) => {
        const at = inside(file);
        if (at !== undefined) this.#attempt({ op: "unlink", path: at });
        real.unlinkSync(file);
        if (at !== undefined) this.#unlinked(at);
      },
      mkdirSync: ((file: fs.PathLike) => {
        const at = inside(file);
        if (at !== undefined) this.#attempt({ op: "mkdir", path: at });
        real.mkdirSync(file);
        if (at !== undefined) this.#calls.push({ op: "mkdir", path: at });
      }) as FsFunctions["mkdirSync"],
      writeSync: ((fd: number, bytes: Uint8Array, offset: number, length: number) => {
        const open = this.#open.get(fd);
        if (open !== undefined) this.#attempt({ op: "write", path: open.path });
        const count = real.writeSync(fd, bytes, offset, length);
        if (open !== undefined) this.#wrote(open, bytes, offset, count);
        return count;
      }) as FsFunctions["writeSync"],
      write: ((
        fd: number,
        bytes: Uint8Array,
        offset: number,
        length: number,
        position: null,
        done: (error: Error | null, count: number) => void,
      ) => {
        const open = this.#open.get(fd);
        if (open === undefined) return real.write(fd, bytes, offset, length, position, done);
        try {
          this.#attempt({ op: "write", path: open.path });
          const count = real.writeSync(fd, bytes, offset, length);
          this.#wrote(open, bytes, offset, count);
          setImmediate(done, null, count);
        } catch (error) {
          if (!(error instanceof Killed)) setImmediate(done, error as Error, 0);
        }
      }) as FsFunctions["write"],
      fsync: ((fd: number, done: (error: Error | null) => void) => {
        const open = this.#open.get(fd);
        if (open === undefined) return real.fsync(fd, done);
        this.#flush(open).then(
          (isAlive) => isAlive && done(null),
          (error: Error) => error instanceof Killed || done(error),
        );
      }) as FsFunctions["fsync"],
    };
    for (const name of UNKNOWN_CALLS) {
      const original = real[name] as (...args: unknown[]) => unknown;
      Object.assign(replaced, {
        [name]: (...args: unknown[]) => {
          const [at] = args;
          const isInside =
            typeof at === "number" ? this.#open.has(at) : typeof at === "string" && inside(at) !== undefined;
          if (isInside) throw new Error(`The model doesn't know ${name}: ${at}`);
          return original(...args);
        },
      });
    }
    return replaced;
  }

  #pair(from: fs.PathLike, to: fs.PathLike): { from: string; to: string } {
    const names = { from: this.#relative(from), to: this.#relative(to) };
    if (names.from === undefined || names.to === undefined) throw new Error(`One of ${from}, ${to} is elsewhere.`);
    return { from: names.from, to: names.to };
  }

  #unlinked(at: string): void {
    this.#ids.delete(at);
    this.#calls.push({ op: "unlink", path: at });
  }

  #wrote(open: OpenFile, bytes: Uint8Array, offset: number, count: number): void {
    this.#calls.push({ op: "write", file: open.file!, bytes: bytes.slice(offset, offset + count) });
  }

  async #flush({ path: at, file }: OpenFile): Promise<boolean> {
    const simulated = this.#current.getStore();
    const attempt: Attempt = { op: file === undefined ? "flushFolder" : "flushFile", path: at };
    if (simulated?.beforeFlush !== undefined && !simulated.isDead) {
      await this.#current.exit(() => simulated.beforeFlush?.(attempt));
    }
    this.#attempt(attempt);
    const since = this.#calls.length;
    await new Promise((resolve) => setImmediate(resolve));
    if (simulated?.isDead) return false;
    this.#calls.push(file === undefined ? { op: "flushFolder", path: at, since } : { op: "flushFile", file, since });
    return true;
  }
}

/** Everything in a folder. */
export function readBase(root: string): Base {
  const folders: string[] = [];
  const files = new Map<string, Uint8Array>();
  for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
    const full = path.join(entry.parentPath, entry.name);
    const relative = path.relative(root, full);
    if (entry.isDirectory()) folders.push(relative);
    else files.set(relative, new Uint8Array(fs.readFileSync(full)));
  }
  return { folders, files };
}
