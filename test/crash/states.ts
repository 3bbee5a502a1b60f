import path from "node:path";
import type { Call, FileId, Trace } from "./calls.js";
import { type Random, seeded } from "./random.js";

/** What a disk may hold after a crash: files by path, relative to the recorded folder, and folders. */
export interface Image {
  readonly folders: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Equal for equal images of one trace. */
  readonly key: string;
}

/** What a name may stand for: a file, a folder, or nothing. */
type Target = FileId | "folder" | undefined;

interface NameStep {
  readonly at: number;
  readonly target: Target;
}

interface Write {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A name or a file that the crash leaves a choice for. */
interface Choice<T> {
  readonly of: string | FileId;
  readonly options: readonly T[];
  /** The option that has everything, and the one that has what was flushed. */
  readonly whole: number;
  readonly least: number;
}

/** States of one moment: how many the rules allow, and those to look at. */
export interface Outcomes {
  readonly allowed: number;
  readonly images: readonly Image[];
}

/**
 * The disk's side of a trace under the weakest promises a file system may make:
 *
 * - a file's bytes survive from the end of a flush of that file on. Written later, they may be gone, there by half, there
 *   by half with zeros in the place of the rest, all zeros at full length, or whole;
 * - a name (created, linked, renamed, removed; a folder's too) survives from the end of a flush of the folder it is in.
 *   Without that, each name of a folder goes its own way: it stands for what it stood for after any of its unflushed
 *   changes, or before them, whatever became of names changed earlier or later;
 * - flushing a file says nothing of its name, flushing a folder nothing of the folder's own name, nor of its files' bytes.
 *
 * A rename replaces its target whole or not at all. What ext4, xfs and btrfs do is a part of this.
 */
export class Disk {
  readonly #trace: Trace;
  readonly #names = new Map<string, NameStep[]>();
  readonly #writes = new Map<FileId, Write[]>();
  readonly #flushes: { readonly of: string | FileId; readonly since: number; readonly end: number }[] = [];

  constructor(trace: Trace) {
    this.#trace = trace;
    const { base, calls } = trace;
    for (const folder of base.folders) this.#name(folder, -1, "folder");
    let file = 0;
    for (const [name, bytes] of base.files) {
      this.#writes.set(file, [{ at: -1, bytes }]);
      this.#name(name, -1, file++);
    }
    calls.forEach((call, at) => {
      this.#apply(call, at);
    });
  }

  /** What the disk may hold if power fails after the first `prefix` calls: all of it, or `sample` chosen by chance. */
  outcomes(prefix: number, sample: number, random: Random): Outcomes {
    const flushed = new Map<string | FileId, number>();
    for (const { of, since, end } of this.#flushes) {
      if (end < prefix) flushed.set(of, Math.max(since, flushed.get(of) ?? 0));
    }
    const names: Choice<Target>[] = [];
    for (const [name, steps] of this.#names) {
      const done = steps.filter(({ at }) => at < prefix);
      const durable = done.filter(({ at }) => at < (flushed.get(path.dirname(name)) ?? 0));
      const pending = done.slice(durable.length).map(({ target }) => target);
      const options = [...new Set([durable.at(-1)?.target, ...pending])];
      if (done.length > 0) names.push({ of: name, options, whole: options.indexOf(done.at(-1)?.target), least: 0 });
    }
    const contents: Choice<Uint8Array>[] = [];
    for (const [file, writes] of this.#writes) {
      const done = writes.filter(({ at }) => at < prefix);
      const durable = done.filter(({ at }) => at < (flushed.get(file) ?? 0)).length;
      const options = contentsAfter(done.slice(0, durable), done.slice(durable));
      contents.push({ of: file, options, whole: 0, least: Math.min(1, options.length - 1) });
    }
    const picked = [...combinations(names, contents, sample, random)];
    return {
      allowed: allowedBy([...names, ...contents]),
      images: picked.map((picks) => build(names, contents, picks)),
    };
  }

  /** The disk with nothing lost, after all calls. */
  whole(): Image {
    const { images } = this.outcomes(this.#trace.calls.length, 1, seeded(0));
    return images[0];
  }

  #apply(call: Call, at: number): void {
    switch (call.op) {
      case "create":
        this.#writes.set(call.file, []);
        this.#name(call.path, at, call.file);
        return;
      case "write":
        this.#writes.get(call.file)!.push({ at, bytes: call.bytes });
        return;
      case "link":
        this.#name(call.to, at, this.#target(call.from));
        return;
      case "rename":
        this.#name(call.to, at, this.#target(call.from));
        this.#name(call.from, at, undefined);
        return;
      case "unlink":
        this.#name(call.path, at, undefined);
        return;
      case "mkdir":
        this.#name(call.path, at, "folder");
        return;
      case "flushFile":
        this.#flushes.push({ of: call.file, since: call.since, end: at });
        return;
      case "flushFolder":
        this.#flushes.push({ of: call.path || ".", since: call.since, end: at });
        return;
      case "acknowledge":
        return;
    }
  }

  #name(name: string, at: number, target: Target): void {
    const steps = this.#names.get(name) ?? [];
    this.#names.set(name, steps);
    steps.push({ at, target });
  }

  #target(name: string): Target {
    return this.#names.get(name)?.at(-1)?.target;
  }

  /** The tags acknowledged by then. */
  acknowledged(prefix: number): string[] {
    return this.#trace.calls.slice(0, prefix).flatMap((call) => (call.op === "acknowledge" ? [call.tag] : []));
  }
}

/** Whole first, then what was flushed, then what is between. */
function contentsAfter(durable: readonly Write[], pending: readonly Write[]): Uint8Array[] {
  const kept = joined(durable);
  if (pending.length === 0) return [kept];
  const late = joined(pending);
  const half = late.subarray(0, Math.ceil(late.length / 2));
  return [
    Buffer.concat([kept, late]),
    kept,
    Buffer.concat([kept, half]),
    Buffer.concat([kept, half, Buffer.alloc(late.length - half.length)]),
    Buffer.concat([kept, Buffer.alloc(late.length)]),
  ];
}

function joined(writes: readonly Write[]): Uint8Array {
  return Buffer.concat(writes.map(({ bytes }) => bytes));
}

/**
 * All combinations where there are at most `sample`. Else that many, among them nothing lost, all lost, and all names there
 * while their bytes are lost.
 */
function* combinations(
  names: readonly Choice<unknown>[],
  contents: readonly Choice<unknown>[],
  sample: number,
  random: Random,
): Generator<number[]> {
  const choices = [...names, ...contents];
  if (sample === 1 || allowedBy(choices) > sample) {
    yield choices.map(({ whole }) => whole);
    if (sample < 3) return;
    yield choices.map(({ least }) => least);
    yield [...names.map(({ whole }) => whole), ...contents.map(({ least }) => least)];
    for (let i = 3; i < sample; i++) yield choices.map(({ options }) => random.below(options.length));
    return;
  }
  const picks = choices.map(() => 0);
  for (let place = 0; place < choices.length; ) {
    yield [...picks];
    for (place = 0; place < choices.length; place++) {
      picks[place] = (picks[place] + 1) % choices[place].options.length;
      if (picks[place] !== 0) break;
    }
  }
}

function allowedBy(choices: readonly Choice<unknown>[]): number {
  return choices.reduce((product, { options }) => product * options.length, 1);
}

function build(
  names: readonly Choice<Target>[],
  contents: readonly Choice<Uint8Array>[],
  picks: readonly number[],
): Image {
  const targets = new Map(names.map(({ of, options }, i) => [String(of), options[picks[i]]]));
  const picksOfFiles = new Map(contents.map(({ of, options }, i) => [of, { options, pick: picks[names.length + i] }]));
  const isReachable = (name: string): boolean => {
    const parent = path.dirname(name);
    return parent === "." || (targets.get(parent) === "folder" && isReachable(parent));
  };
  const folders = new Set<string>();
  const files = new Map<string, Uint8Array>();
  let key = "";
  for (const [name, target] of targets) {
    if (target === undefined || !isReachable(name)) continue;
    if (target === "folder") {
      folders.add(name);
      key += `${name}/ `;
      continue;
    }
    const { options, pick } = picksOfFiles.get(target)!;
    files.set(name, options[pick]);
    key += `${name}=${target}.${options[pick].length}.${pick} `;
  }
  return { folders, files, key };
}
