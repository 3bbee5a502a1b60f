import fs from "node:fs";
import path from "node:path";
import { DeltaError } from "../errors.js";
import { isMissing } from "./localErrors.js";

/** Folders that are remembered as looked at. */
const MAX_FOLDERS = 10_000;

/**
 * Holds a store to its root: a symbolic link below it is followed only where it leads to something below it. The root itself
 * may be a link, and the way to it. With `followLinks` all links are followed.
 *
 * A link that is put in place of a folder while a store is in use isn't noticed: who can do that can do the store's
 * work as well.
 */
export class Links {
  readonly #root: string;
  readonly #followLinks: boolean;
  #realRoot: string | undefined;
  readonly #sound = new Set<string>();

  /** How a file is opened: never through a link, never waiting for the other end of a pipe. */
  readonly openFlags: number;

  constructor(root: string, followLinks: boolean) {
    this.#root = root;
    this.#followLinks = followLinks;
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
    this.openFlags = O_RDONLY | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW);
  }

  /** Throws `DELTA_UNSUPPORTED_FILE_PATH` where the folder, or one on the way to it, is a link that leads out of the root. */
  checkFolder(folder: string): void {
    if (this.#followLinks || folder === this.#root || this.#sound.has(folder)) return;
    const parent = path.dirname(folder);
    if (parent === folder) return;
    this.checkFolder(parent);
    const isLink = isLinkAt(folder);
    // What isn't there yet will be a folder of ours.
    if (isLink === undefined) return;
    if (isLink) this.target(folder);
    if (this.#sound.size >= MAX_FOLDERS) this.#sound.clear();
    this.#sound.add(folder);
  }

  /** What a link stands for. Throws `DELTA_UNSUPPORTED_FILE_PATH` where that lies outside of the root. */
  target(link: string): string {
    const target = fs.realpathSync(link);
    if (this.#followLinks) return target;
    this.#realRoot ??= fs.realpathSync(this.#root);
    const within = path.relative(this.#realRoot, target);
    const isInside = within === "" || (within.split(path.sep)[0] !== ".." && !path.isAbsolute(within));
    if (isInside) return target;
    throw new DeltaError(
      "DELTA_UNSUPPORTED_FILE_PATH",
      `${link} is a link to ${target}, outside of the folder ${this.#root}. If you trust who made it, open the table with followLinks.`,
      { path: link, target },
    );
  }
}

function isLinkAt(folder: string): boolean | undefined {
  try {
    return fs.lstatSync(folder).isSymbolicLink();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
