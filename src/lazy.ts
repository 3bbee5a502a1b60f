import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { isMainThread } from "node:worker_threads";
import { DeltaError } from "./errors.js";

/** Node was seen to hold 90 files open at a time while it loads what reads tables. */
const DESCRIPTORS = 128;

/** What has been loaded, each by its name and the text of its import: a name may stand for several modules. */
const done = new Set<string>();

/**
 * Loads a module on first use. Node keeps in mind for good that a module couldn't be loaded, so it isn't asked to while this process may
 * open no more files: that is `DELTA_STORAGE_UNAVAILABLE`, and works later. Throws `DELTA_MISSING_DEPENDENCY` where the
 * module can't be loaded all the same.
 */
export async function loaded<T>(load: () => Promise<T>, name: string): Promise<T> {
  const key = `${name} ${load}`;
  // A worker that can't load what it needs is replaced.
  if (isMainThread && !done.has(key)) checkDescriptors(name);
  try {
    const module = await load();
    done.add(key);
    return module;
  } catch (error) {
    const system = systemCode(error);
    throw new DeltaError(
      "DELTA_MISSING_DEPENDENCY",
      `${name} couldn't be loaded (${system ?? String(error)}). Check that it is installed and that this process may open more files, then start it anew: Node doesn't try to load a module twice.`,
      { module: name, system },
      error,
    );
  }
}

function checkDescriptors(name: string): void {
  const taken: number[] = [];
  try {
    while (taken.length < DESCRIPTORS) taken.push(openSync(devNull, "r"));
  } catch (error) {
    const system = systemCode(error);
    // A sandbox may have no such file, which says nothing.
    if (system !== "EMFILE" && system !== "ENFILE") return;
    throw new DeltaError(
      "DELTA_STORAGE_UNAVAILABLE",
      `${name} can't be loaded now: this process may open ${taken.length} more files, and Node needs up to ${DESCRIPTORS} for that. Try again, or raise the limit (ulimit -n).`,
      { module: name, system },
      error,
    );
  } finally {
    for (const descriptor of taken) closeSync(descriptor);
  }
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
