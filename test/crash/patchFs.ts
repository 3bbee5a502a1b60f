import fs from "node:fs";
import path from "node:path";

/** The functions of node:fs; src/storage calls them as properties of its default export, so replacing those reaches it. */
export type FsFunctions = { -readonly [Name in keyof typeof fs]: (typeof fs)[Name] };

/** Puts functions in the place of node:fs's own; the returned function puts the old ones back. */
export function patchFs(replacements: (real: FsFunctions) => Partial<FsFunctions>): () => void {
  const before: FsFunctions = { ...fs };
  const replaced = replacements(before);
  const names = Object.keys(replaced) as (keyof FsFunctions)[];
  Object.assign(fs, replaced);
  return () => {
    for (const name of names) Object.assign(fs, { [name]: before[name] });
  };
}

/** A flush that is about to happen. */
export interface Flush {
  readonly path: string;
  readonly isFolder: boolean;
  /** The last change of the folder's entries so far, where one was seen. */
  readonly lastChange: "create" | "link" | "rename" | "mkdir" | undefined;
}

/** Functions that let those flushes through that `isWanted` picks; the others say that they are done. */
export function tracked(real: FsFunctions, isWanted: (flush: Flush) => boolean): Partial<FsFunctions> {
  const open = new Map<number, string>();
  const changes = new Map<string, Flush["lastChange"]>();
  const note = (file: fs.PathLike, change: Flush["lastChange"]) => changes.set(path.dirname(String(file)), change);
  return {
    openSync: (file, flags, mode) => {
      const fd = real.openSync(file, flags, mode);
      open.set(fd, String(file));
      if (flags === "wx") note(file, "create");
      return fd;
    },
    linkSync: (from, to) => {
      real.linkSync(from, to);
      note(to, "link");
    },
    renameSync: (from, to) => {
      real.renameSync(from, to);
      note(to, "rename");
    },
    mkdirSync: ((file: fs.PathLike) => {
      real.mkdirSync(file);
      note(file, "mkdir");
    }) as FsFunctions["mkdirSync"],
    fsync: ((fd: number, done: (error: Error | null) => void) => {
      const at = open.get(fd)!;
      const isFolder = fs.fstatSync(fd).isDirectory();
      if (isWanted({ path: at, isFolder, lastChange: isFolder ? changes.get(at) : undefined })) real.fsync(fd, done);
      else setImmediate(done, null);
    }) as FsFunctions["fsync"],
  };
}
