import type { ObjectMeta } from "#src/storage/store.js";
import { compareUtf8, sortUtf8 } from "#src/storage/utf8Order.js";

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
}

/** A change that has taken effect; it may be lost in a power cut until it, or a later one in its folder, is flushed. */
export interface Landing {
  readonly number: number;
  readonly path: string;
  readonly before: StoredObject | undefined;
}

/**
 * The objects as everybody sees them, and what a power cut may take back: the newest changes that aren't flushed, in
 * the order they were made, as a journaling file system does. Answering a call flushes its folder, as the local store does.
 */
export class Disk {
  readonly #objects = new Map<string, StoredObject>();
  #unflushed: Landing[] = [];
  #landings = 0;

  get(path: string): Uint8Array | undefined {
    return this.#objects.get(path)?.bytes;
  }

  head(path: string): ObjectMeta | undefined {
    const object = this.#objects.get(path);
    return object && { path, sizeBytes: object.bytes.length, modifiedMs: object.modifiedMs };
  }

  /** Paths below `prefix` after `startAfter`, in UTF-8 order. */
  paths(prefix = "", startAfter = ""): string[] {
    return sortUtf8(
      [...this.#objects.keys()].filter((path) => path.startsWith(prefix) && compareUtf8(path, startAfter) > 0),
    );
  }

  /** Writes an object, or removes it where `bytes` is undefined. */
  land(path: string, bytes: Uint8Array | undefined, modifiedMs: number): Landing {
    const landing = { number: this.#landings++, path, before: this.#objects.get(path) };
    if (bytes === undefined) this.#objects.delete(path);
    else this.#objects.set(path, { bytes, modifiedMs });
    this.#unflushed.push(landing);
    return landing;
  }

  /** Makes a change, and those before it in its folder, survive a power cut. */
  flush({ number, path }: Landing): void {
    const folder = folderOf(path);
    this.#unflushed = this.#unflushed.filter((landing) => landing.number > number || folderOf(landing.path) !== folder);
  }

  /** Makes all changes in a folder survive a power cut. */
  settle(folder: string): void {
    this.#unflushed = this.#unflushed.filter((landing) => folderOf(landing.path) !== folder);
  }

  /** Takes back up to `count` of the newest unflushed changes, and keeps the others for good; the paths taken back. */
  cutPower(count: number): string[] {
    const lost = this.#unflushed.slice(Math.max(0, this.#unflushed.length - count)).reverse();
    for (const { path, before } of lost) {
      if (before === undefined) this.#objects.delete(path);
      else this.#objects.set(path, before);
    }
    this.#unflushed = [];
    return lost.map(({ path }) => path);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
