import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Table } from "#src/index.js";
import type { AppendOptions } from "#src/ops/append.js";
import { replaceRuntime } from "#src/runtime.js";
import { localStore } from "#src/storage/local.js";
import type { ObjectStore } from "#src/storage/store.js";
import type { Trace } from "./calls.js";
import { type FsFunctions, patchFs } from "./patchFs.js";
import { seeded } from "./random.js";
import { type ProcessOptions, Recorder, readBase } from "./recorder.js";
import { Disk } from "./states.js";

/** Where a scenario's table is below the recorded folder. */
export const TABLE = "x/table";
/** The application that the appends with `txn` belong to. */
export const APP = "loader";

/** Each append has so many rows, over two days. */
const ROWS = 4;

/** The rows of the append with this tag. */
export function rowsOf(tag: string): { tag: string; n: bigint; day: string }[] {
  return Array.from({ length: ROWS }, (_, n) => ({ tag, n: BigInt(n), day: `d${n % 2}` }));
}

/** Changes to how the product reaches the disk: none, or a bug. */
export interface Build {
  readonly fs?: (real: FsFunctions) => Partial<FsFunctions>;
  readonly store?: (inner: ObjectStore, root: string) => ObjectStore;
}

/** A run of the product that gets recorded. */
export interface Scenario {
  readonly name: string;
  /** What goes before the recording, all of it durable. */
  readonly before?: (world: World) => Promise<void>;
  readonly run: (world: World) => Promise<void>;
  readonly repeatable?: readonly Repeatable[];
}

/** An append with `txn`, which anybody who isn't sure of it may repeat. */
export interface Repeatable {
  readonly tag: string;
  readonly version: number;
}

/** A recorded scenario. */
export interface Recording {
  readonly scenario: Scenario;
  /** The folder that everything was below; it is gone. */
  readonly root: string;
  readonly trace: Trace;
  /** The tags of all commits there ever were, by version. */
  readonly history: readonly string[];
  /** When a process died or was held up, if one was: crashes before that are those of a run in which none is. */
  readonly turn: number | undefined;
}

/** What a scenario has at hand. */
export class World {
  readonly #root: string;
  readonly #build: Build;
  #recorder: Recorder | undefined;
  #turn: number | undefined;

  constructor(root: string, build: Build) {
    this.#root = root;
    this.#build = build;
  }

  /** A fresh handle, as a process has it. */
  open(): Table {
    const root = path.join(this.#root, TABLE);
    const store = localStore(root);
    return Table.open(this.#build.store?.(store, root) ?? store);
  }

  /** Appends the tag's rows; once that has returned they must never be lost. */
  async append(table: Table, tag: string, options: AppendOptions = {}): Promise<void> {
    await table.append(rowsOf(tag), { userMetadata: tag, ...options });
    this.acknowledge(tag);
  }

  /** The folder that everything is below. */
  get root(): string {
    return this.#root;
  }

  /** Notes that a call has returned; what it did must never be lost. */
  acknowledge(tag: string): void {
    this.#recorder?.acknowledge(tag);
  }

  /** Runs a part as a process of its own; false where it died. */
  async process(action: () => Promise<void>, options?: ProcessOptions): Promise<boolean> {
    const lived = await this.#recorder!.process(action, options);
    if (!lived) this.turns();
    return lived;
  }

  /** Notes that from now on the run differs from one in which no process dies or is held up. */
  turns(): void {
    this.#turn = this.#recorder!.length;
  }

  async record(scenario: Scenario): Promise<Recording> {
    await scenario.before?.(this);
    const recorder = new Recorder(this.#root);
    const unpatch = patchFs((real) => this.#build.fs?.(real) ?? {});
    this.#recorder = recorder;
    try {
      await scenario.run(this);
    } finally {
      unpatch();
      recorder.stop();
      this.#recorder = undefined;
    }
    const { trace } = recorder;
    this.#checkComplete(trace);
    return { scenario, root: this.#root, trace, history: this.#history(), turn: this.#turn };
  }

  /** Nothing lost must be what is there, or the recorder has missed a call. */
  #checkComplete(trace: Trace): void {
    const expected = new Disk(trace).whole();
    const found = readBase(this.#root);
    const same =
      found.files.size === expected.files.size &&
      [...found.files].every(
        ([name, bytes]) => Buffer.compare(bytes, expected.files.get(name) ?? Buffer.alloc(0)) === 0,
      );
    if (!same || found.folders.some((folder) => !expected.folders.has(folder))) {
      throw new Error("The recorded calls don't lead to the folder as it is.");
    }
  }

  #history(): string[] {
    const log = path.join(this.#root, TABLE, "_delta_log");
    const commits = fs.readdirSync(log).filter((name) => /^\d{20}\.json$/.test(name));
    return commits.sort().map((name) => {
      const [line] = fs.readFileSync(path.join(log, name), "utf8").split("\n");
      return JSON.parse(line).commitInfo.userMetadata;
    });
  }
}

/** Runs a scenario in a folder of its own, which is gone afterwards, with names that are the same each time. */
export async function record(scenario: Scenario, build: Build = {}): Promise<Recording> {
  const root = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "delta-crash-"));
  const random = seeded(1);
  const hex = (length: number) => Array.from({ length }, () => random.below(16).toString(16)).join("");
  const restore = replaceRuntime({
    randomUUID: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
    random: random.next,
    warn: () => {},
  });
  try {
    return await new World(root, build).record(scenario);
  } finally {
    restore();
    fs.rmSync(root, { recursive: true, force: true });
  }
}
