/** A file's identity, whatever its names: what an inode is to the file system. */
export type FileId = number;

/** A call of the file system that changed something, or made something durable. Paths are relative to the recorded folder. */
export type Call =
  | { readonly op: "create"; readonly path: string; readonly file: FileId }
  | { readonly op: "write"; readonly file: FileId; readonly bytes: Uint8Array }
  | { readonly op: "link"; readonly from: string; readonly to: string }
  | { readonly op: "rename"; readonly from: string; readonly to: string }
  | { readonly op: "unlink"; readonly path: string }
  | { readonly op: "mkdir"; readonly path: string }
  /** The end of a flush that began when `since` calls had been made: those of its file are durable now. */
  | { readonly op: "flushFile"; readonly file: FileId; readonly since: number }
  | { readonly op: "flushFolder"; readonly path: string; readonly since: number }
  /** Not a call: from here on the user may rely on this append. */
  | { readonly op: "acknowledge"; readonly tag: string };

/** A folder before the recording: all of it is durable. Paths are relative. */
export interface Base {
  readonly folders: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What was recorded of one run. */
export interface Trace {
  readonly base: Base;
  readonly calls: readonly Call[];
}
