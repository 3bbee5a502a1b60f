import { pathToFileURL } from "node:url";
import { DeltaError } from "../../errors.js";
import type { AddFile } from "../../log/actions.js";
import { deletionVectorPath } from "../../log/deletionVectors/storage.js";
import { encodePath } from "../../log/paths.js";
import type { ObjectStore } from "../../storage/store.js";

/** A place that others can name: a scheme, and something that begins with a slash. */
const URL_ROOT = /^([a-z][a-z0-9+.-]*:\/\/[^/]*)(.*)$/is;

/**
 * The root of a store as the beginning of URIs of its objects, spelled as Spark spells them: it compares them as texts. Throws `DELTA_INVALID_ARGUMENT` for a store
 * that no URI names.
 */
export function rootUri({ url }: Pick<ObjectStore, "url">): string {
  const match = URL_ROOT.exec(url);
  if (match !== null) return `${match[1]}${encodePath(match[2]!)}`.replace(/\/$/, "");
  if (url.startsWith("/")) return `file:${encodePath(url)}`.replace(/\/$/, "");
  if (/^[A-Za-z]:[\\/]/.test(url)) return pathToFileURL(url).href.replace("file:///", "file:/").replace(/\/$/, "");
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `Other tables can't name files in ${url}: clone it deeply instead.`, {
    location: url,
  });
}

const ABSOLUTE = /^(?:\/|[A-Za-z][A-Za-z0-9+.-]*:\/)/;

/** A file of a table as another table names it: by absolute paths. */
export function absoluteAdd(add: AddFile, store: ObjectStore, root: string): AddFile {
  const { path, deletionVector } = add;
  const absolute = ABSOLUTE.test(path) ? path : `${root}/${path}`;
  const vectorPath = deletionVector?.storageType === "u" ? deletionVectorPath(store, deletionVector) : undefined;
  if (deletionVector === undefined || vectorPath === undefined) return { ...add, path: absolute };
  const pathOrInlineDv = `${root}/${encodePath(vectorPath)}`;
  return { ...add, path: absolute, deletionVector: { ...deletionVector, storageType: "p", pathOrInlineDv } };
}
