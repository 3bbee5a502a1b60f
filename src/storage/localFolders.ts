import fs from "node:fs";
import path from "node:path";
import { isMissing, systemCode } from "./localErrors.js";
import { syncFolder } from "./localFiles.js";

/**
 * Makes folders, and knows which have an entry of their own that survives a crash.
 *
 * A folder's entry is flushed before anything is made in the folder, whoever made it. So one that isn't empty needs no
 * look: the first to make something in it has seen to that. An empty one may be another process's that hasn't come to
 * flushing, or was killed before; a file that is durable in it would be lost with it.
 */
export class Folders {
  readonly durable: boolean;
  readonly #settled = new Set<string>();

  constructor(durable: boolean) {
    this.durable = durable;
  }

  /** Creates a file that must not be there, and its folder where that is missing. */
  async createFile(file: string): Promise<number> {
    const folder = path.dirname(file);
    if (this.durable && !this.#settled.has(folder)) await this.#settle(folder);
    try {
      return fs.openSync(file, "wx");
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
    // Somebody removed folders: nothing is known any more.
    this.#settled.clear();
    await this.#settle(folder);
    return fs.openSync(file, "wx");
  }

  async #settle(folder: string): Promise<void> {
    const parent = path.dirname(folder);
    if (parent === folder || this.#settled.has(folder)) return;
    const found = contentOf(folder);
    if (found === "missing") {
      await this.#settle(parent);
      makeFolder(folder);
      if (this.durable) await syncFolder(parent);
    } else if (this.durable && found === "none") await syncIfAllowed(parent);
    this.#settled.add(folder);
  }
}

function contentOf(folder: string): "missing" | "none" | "some" {
  let entries: fs.Dir;
  try {
    entries = fs.opendirSync(folder);
  } catch (error) {
    if (isMissing(error)) return "missing";
    // Not to be listed: whether it is empty stays open.
    return "none";
  }
  try {
    return entries.readSync() === null ? "none" : "some";
  } finally {
    entries.closeSync();
  }
}

/** Who may write to a folder needn't be allowed to open the one it is in. */
async function syncIfAllowed(folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!["EACCES", "EPERM"].includes(systemCode(error))) throw error;
  }
}

function makeFolder(folder: string): void {
  // One by one: the recursive mkdir of Node 20 reports a read-only file system as ENOENT.
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}
