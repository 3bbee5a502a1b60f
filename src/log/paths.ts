import { DeltaError } from "../errors.js";
import { pathBelow } from "../storage/otherRoots.js";
import type { ObjectStore } from "../storage/store.js";
import { SIDECAR_FOLDER } from "./names.js";

/** A scheme followed by a slash; `a:b` alone is taken for a file name. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(\/.*)$/s;

/** A bucket, and the key of a table in it. */
const S3_ROOT = /^s3[an]?:\/\/([^/]*)(.*)$/is;

/** What a path in its simplest form never has: everything else is canonical as it stands. */
const UNUSUAL = /[%:]|\/\/|^\/|\/$|(?:^|\/)\.\.?(?:\/|$)/;

/** ASCII characters that a path in the log keeps as they are; others of ASCII are percent-encoded. */
const ENCODED = /[^A-Za-z0-9_\-!.~'()*,;$&+=/@\u00a1-\uffff]/g;

/**
 * A decoded path relative to the table's root as `add.path` holds it: a URI path in the manner of Hadoop's, which
 * leaves most letters beyond ASCII alone.
 */
export function encodePath(path: string): string {
  return path.replace(ENCODED, (char) => encodeURIComponent(char));
}

/** The path behind a URI path; a `%` that starts no valid escape stands for itself. */
export function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
      try {
        return decodeURIComponent(escapes);
      } catch {
        return escapes;
      }
    });
  }
}

/**
 * The one form of all spellings of a data file's path: decoded, without `.`, `..` and doubled slashes;
 * `file:/x`, `file:///x` and `/x` give `/x`; `s3a:` and `s3n:` give `s3:`. Two actions speak of one file if and only if these are equal.
 */
export function canonicalPath(path: string): string {
  if (!UNUSUAL.test(path)) return path;
  const match = SCHEME.exec(path);
  if (match === null) return normalise(decodePath(path));
  const scheme = sameScheme(match[1]!.toLowerCase());
  const rest = match[2]!;
  if (!rest.startsWith("//"))
    return scheme === "file" ? normalise(decodePath(rest)) : `${scheme}:${normalise(decodePath(rest))}`;
  const slash = rest.indexOf("/", 2);
  const authority = slash === -1 ? rest.slice(2) : rest.slice(2, slash);
  const inside = normalise(decodePath(slash === -1 ? "/" : rest.slice(slash)));
  if (scheme === "file" && (authority === "" || authority === "localhost")) return inside;
  return `${scheme}://${authority}${inside}`;
}

/**
 * Where a data file of the log lies below the table's root, decoded, or below another root that the store has: what the store takes.
 *
 * Throws `DELTA_UNSUPPORTED_FILE_PATH` for a file outside of them: an absolute path elsewhere, or one that `..` leads out; and
 * for one of a log, which nobody may take for data, and a cleanup remove.
 */
export function storePath(store: Pick<ObjectStore, "url" | "otherRoots">, path: string): string {
  const canonical = canonicalPath(path);
  const isAbsolute = canonical.startsWith("/") || SCHEME.test(canonical);
  const relative = isAbsolute ? below(canonical, store.url) : canonical;
  if (isDataPath(relative)) return relative;
  for (const root of (isAbsolute && store.otherRoots) || []) {
    const inRoot = below(canonical, root);
    if (isDataPath(inRoot)) return pathBelow(root, inRoot);
  }
  throw new DeltaError(
    "DELTA_UNSUPPORTED_FILE_PATH",
    `The log of ${store.url} names the data file ${path}, which isn't inside of the table's folder, or is in its log. Where the table is a shallow clone of one that you trust, open it with that one's folder among its dataRoots.`,
    { path, table: store.url },
  );
}

function isDataPath(relative: string | undefined): relative is string {
  return relative !== undefined && relative !== "" && !relative.includes("\0") && !NO_DATA.test(relative);
}

/**
 * Where a checkpoint's sidecar lies below the table's root, decoded: a name alone is one in the folder of sidecars, where all of
 * them are. Throws `DELTA_LOG_CORRUPT` for one elsewhere.
 */
export function sidecarPath(store: Pick<ObjectStore, "url">, path: string): string {
  const canonical = canonicalPath(path);
  const isAbsolute = canonical.startsWith("/") || SCHEME.test(canonical);
  const relative = isAbsolute ? below(canonical, store.url) : `${SIDECAR_FOLDER}${canonical}`;
  const name = relative?.startsWith(SIDECAR_FOLDER) ? relative.slice(SIDECAR_FOLDER.length) : "";
  if (name === "" || name.includes("/") || name.includes("\0") || name === "." || name === "..") {
    throw new DeltaError(
      "DELTA_LOG_CORRUPT",
      `A checkpoint of ${store.url} names the sidecar ${path}, which isn't in ${SIDECAR_FOLDER} of the table.`,
      { path, table: store.url },
    );
  }
  return relative!;
}

/** Paths that lead out of the table, or into its log. */
const NO_DATA = /^(?:\.\.|_delta_log)(?:\/|$)/;

function below(canonical: string, storeUrl: string): string | undefined {
  const root = canonicalRoot(storeUrl).replace(/\/$/, "");
  return canonical.startsWith(`${root}/`) ? canonical.slice(root.length + 1) : undefined;
}

/** A store's root in the form of {@link canonicalPath}: it is an operating system's path or a key, in which a % means itself. */
function canonicalRoot(storeUrl: string): string {
  const local = storeUrl.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:\/)/, "/");
  if (local.startsWith("/")) return normalise(local);
  const [, bucket, key] = S3_ROOT.exec(storeUrl) ?? [];
  return key === undefined ? canonicalPath(storeUrl) : `s3://${bucket}${normalise(key)}`;
}

/** Hadoop's two names for S3 mean the same store. */
function sameScheme(scheme: string): string {
  return scheme === "s3a" || scheme === "s3n" ? "s3" : scheme;
}

function normalise(path: string): string {
  const absolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !absolute) parts.push(part);
  }
  return (absolute ? "/" : "") + parts.join("/");
}
