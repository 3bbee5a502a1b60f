import { fileURLToPath } from "node:url";
import { DeltaError } from "../errors.js";
import { localStore } from "./local.js";
import { memoryStore } from "./memory.js";
import { s3Store } from "./s3.js";
import type { S3Options } from "./s3Options.js";
import { urlWithoutSecrets } from "./secrets.js";
import type { ObjectStore } from "./store.js";

/** How to reach the place where a table lies. */
export interface StorageOptions {
  /**
   * Local disks only: flush files and folders, so that what a call wrote survives a power cut once it returned. Default
   * true; false is quicker and still atomic between processes.
   */
  readonly fsync?: boolean;
  /**
   * Local disks only: follow symbolic links that lead out of the table's folder, as caches of downloaded files and data
   * versioning tools make them. Default false: a table from elsewhere could name any file of this machine as its own.
   */
  readonly followLinks?: boolean;
  readonly s3?: S3Options;
}

/** Two letters at least, since `C:\tables` is a path. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * The store at a location, without any I/O: a path, a `file:` URL, `s3://bucket/prefix` (or `s3a://`, `s3n://`), `memory:name` (shared within the process).
 *
 * A string is taken as it is, except that `file:` URLs are percent-decoded; a URL object is always decoded.
 * Throws `DELTA_UNSUPPORTED_URL` for anything else, `DELTA_INVALID_ARGUMENT` for an empty location or a wrong option.
 */
export function openStore(location: string | URL, options: StorageOptions = {}): ObjectStore {
  const text = typeof location === "string" ? location : location.href;
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      if (text === "" || text.includes("\0")) {
        throw new DeltaError("DELTA_INVALID_ARGUMENT", "The location of a table must be a path or a URL.", {
          location: text,
        });
      }
      return localStore(text, options);
    case "file":
      return localStore(pathOfFileUrl(text), options);
    case "s3":
    case "s3a":
    case "s3n":
      return s3Store(typeof location === "string" ? text : decodeUrl(text), options.s3);
    case "memory":
      return memoryStore(text.slice("memory:".length) || undefined);
    default:
      throw unsupported(text, `${scheme}: locations are not supported`);
  }
}

/** The path that a `file:` URL names. Throws `DELTA_UNSUPPORTED_URL`. */
export function pathOfFileUrl(text: string): string {
  if (!/^file:\//i.test(text)) throw unsupported(text, "a file: URL must hold an absolute path");
  try {
    return fileURLToPath(text);
  } catch (error) {
    throw unsupported(text, "this file: URL names no local file", error);
  }
}

/** A URL without its percent-encoding. Throws `DELTA_UNSUPPORTED_URL`. */
export function decodeUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw unsupported(text, "its percent-encoding is wrong", error);
  }
}

function unsupported(text: string, why: string, cause?: unknown): DeltaError {
  const location = urlWithoutSecrets(text);
  return new DeltaError(
    "DELTA_UNSUPPORTED_URL",
    `Cannot open ${location}: ${why}. Give a path (such as ./table), file:///path, s3://bucket/prefix or memory:name.`,
    { location },
    cause,
  );
}
