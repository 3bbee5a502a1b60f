import { DeltaError } from "./errors.js";

/**
 * Waits for a module that is loaded on first use. Throws `DELTA_MISSING_DEPENDENCY` where it can't be: for want of file
 * descriptors, mostly, which Node may call EMFILE or a missing module. It keeps in mind that a module failed, so the same
 * process won't load it any more.
 */
export async function loaded<T>(loading: Promise<T>, name: string): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    const system = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    throw new DeltaError(
      "DELTA_MISSING_DEPENDENCY",
      `${name} couldn't be loaded (${system ?? String(error)}). Check that it is installed and that this process may open more files, then start it anew: Node doesn't try to load a module twice.`,
      { module: name, system },
      error,
    );
  }
}
