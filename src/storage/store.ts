/** A stored object as a listing or a head request describes it. */
export interface ObjectMeta {
  /** Relative to the store's root, with `/` between parts; never percent-encoded. */
  readonly path: string;
  readonly sizeBytes: number;
  /** When the object was last written, in milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** Names the object's content, where the store knows such a name (S3). */
  readonly etag?: string | undefined;
}

/** Bytes `start` (included) to `end` (excluded) of an object. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
  /** The object must still be the one with this {@link ObjectMeta.etag}; of stores that know one. */
  readonly etag?: string | undefined;
}

/** Bytes that are read as they are needed, a range perhaps more than once. */
export interface RangedContent {
  readonly sizeBytes: number;
  /** All bytes of a range inside the content. */
  read(range: ByteRange): Promise<Uint8Array>;
}

/** An object whose bytes are there. */
export interface WrittenObject {
  readonly sizeBytes: number;
  /** Resolves once it is durable. */
  readonly stored: Promise<void>;
}

/**
 * What came of a {@link ObjectStore.putIfAbsent}.
 *
 * - `created`: this call made the object.
 * - `exists`: the object was there. It may still be this call's own, if the request was repeated on its way.
 * - `unknown`: the answer was lost or said neither (time-out, reset, 5xx, 409). Only a read can tell; putting the same bytes
 *   again is safe.
 */
export type PutOutcome = "created" | "exists" | "unknown";

/**
 * Bytes by path, below one root. It knows nothing of Delta.
 *
 * Every store passes `test/contract/store.ts`; what doesn't is not a store. All methods may throw a DeltaError:
 * `DELTA_ACCESS_DENIED`, `DELTA_DISK_FULL`, `DELTA_STORAGE_UNAVAILABLE` (after bounded retries),
 * `DELTA_STORAGE_FAILED`, or `DELTA_ABORTED` when `signal` fires.
 */
export interface ObjectStore extends AsyncDisposable {
  /** The root, as given to people in messages. Credentials never appear in it. */
  readonly url: string;

  /** The roots of other stores whose objects it gives, by paths that begin with them; none where it's left out. */
  readonly otherRoots?: readonly string[];

  /**
   * The object's bytes, or a range of them (cut at its end). Throws `DELTA_FILE_NOT_FOUND`, and `DELTA_LOAD_SOURCE_CHANGED` where
   * the range names another etag than the object's.
   */
  get(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array>;

  /** Writes or replaces the object: readers see the old bytes or the new ones, never a mix, also after a crash. */
  put(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;

  /** `put` of bytes of any size, which are never in memory together where the store takes them in parts. */
  putFrom(path: string, content: RangedContent, signal?: AbortSignal): Promise<void>;

  /**
   * Writes an object under a name that nobody else uses or knows (it holds a UUID), durably. Before the call resolves, and
   * after a crash, the object may be there in part, so nothing may refer to it until then. Cheaper than `put` where
   * replacing takes a detour. The object's bytes come in parts, so that large ones needn't be copied together.
   */
  putNew(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void>;

  /**
   * {@link putNew} by another program, which `write` has write the file that it is given the path of; it is there already, and empty.
   * Resolves once it is written, before it is durable. Where `write` fails, nothing is left. Stores whose objects aren't files lack the method.
   */
  putNewBy?(path: string, write: (localPath: string) => Promise<void>, signal?: AbortSignal): Promise<WrittenObject>;

  /**
   * Writes the object unless one is there, atomically and durably: of any number of callers, on any number of
   * machines, one gets `created`.
   *
   * The object comes to be only after `after` has resolved: what refers to other objects is given their puts, and may be got
   * ready while they are under way. If `after` rejects, so does the call, and nothing was written.
   *
   * An error with `data.written === false` says that nothing was written, `DELTA_COMMIT_OUTCOME_UNKNOWN` that the object is
   * visible but may not last; after `DELTA_STORAGE_UNAVAILABLE` without it, the object may be there.
   */
  putIfAbsent(path: string, bytes: Uint8Array, signal?: AbortSignal, after?: Promise<unknown>): Promise<PutOutcome>;

  /**
   * Writes the object unless one is there: readers see none or all of it, but a power cut may leave it torn, or empty. For what
   * can be found out without it, and so isn't worth a flush or a second attempt. Of calls at the same moment, the last may win.
   */
  putHint(path: string, bytes: Uint8Array): Promise<void>;

  /**
   * The objects below the folder `prefix` (`""` or ending in `/`), in UTF-8 byte order of their paths, those after
   * `startAfter` only. A folder that doesn't exist lists nothing. `enters` is asked of folders (ending in `/`): what is in one that
   * it denies is not of interest, and may be left out where that saves work.
   */
  list(
    prefix: string,
    startAfter?: string,
    signal?: AbortSignal,
    enters?: (folder: string) => boolean,
  ): AsyncIterable<ObjectMeta>;

  /** The paths of `list`, direct children of `prefix` only: on a local disk this saves a `stat` per file. */
  listNames(prefix: string, startAfter?: string, signal?: AbortSignal): Promise<string[]>;

  /** Size and time of the object, or undefined where there is none. */
  head(path: string, signal?: AbortSignal): Promise<ObjectMeta | undefined>;

  /** Removes the object; one that isn't there is no error. */
  delete(path: string, signal?: AbortSignal): Promise<void>;

  /**
   * Resolves once the objects right in the folder `prefix`, those that can be seen at the call, survive a crash, whoever put them
   * there. Where what can be seen is durable (S3), it does nothing; on a local disk another process may have put an
   * object without having flushed it yet, or have been killed before.
   */
  settle(prefix: string): Promise<void>;

  /**
   * Removes what writes left right in the folder `prefix` that began before `beforeMs` and never came to an end. Listings never
   * show that; a store that leaves nothing (S3) has nothing to do.
   */
  sweep(prefix: string, beforeMs: number): Promise<void>;

  /**
   * The file of this machine that holds just the object's bytes, for other programs to read; undefined where it isn't to be followed
   * there. Stores whose objects aren't files lack the method.
   */
  localPath?(path: string): string | undefined;

  /**
   * Removes the folders below the root that are empty and were so at `beforeMs`, of those that `enters` lets in; gives how many.
   * Stores without folders lack the method.
   */
  removeEmptyFolders?(beforeMs: number, enters: (folder: string) => boolean, signal?: AbortSignal): Promise<number>;
}
