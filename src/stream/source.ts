import type { RecordBatch } from "apache-arrow";
import type { Json } from "../load/progress.js";
import type { StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";

/** Rows on their way: Arrow as long as no function of the caller's has made objects of them. */
export type Chunk = RecordBatch | readonly object[];

/** What a source is opened with. */
export interface SourceContext {
  /** The checkpoint; a source's own files are below `sources/0/`. */
  readonly checkpoint: ObjectStore;
  /** Only what is there now is to be given, however long the run takes. */
  readonly onlyAvailable: boolean;
  /** Each batch takes all there is. */
  readonly unlimited: boolean;
}

/** Something that a stream reads: it can tell places in it apart, and give the rows between two of them again. */
export interface StreamSource {
  /** What its rows are, where the same places may also give others: a checkpoint holds on to it. */
  readonly rowKind?: string;
  open(context: SourceContext): Promise<OpenSource>;
}

export interface OpenSource {
  /** The rows' schema; undefined where the rows are objects of any. */
  readonly schema: StructType | undefined;
  /**
   * The end of the next batch that begins after `start` (undefined: at the source's beginning), within the limits; undefined where there
   * is nothing new. `conf` is what has to be known to begin a stream's first batch at the same place again.
   */
  next(start: Json | undefined): Promise<NextBatch | undefined>;
  /** The rows after `start` up to `end`: the same ones at each call. */
  read(start: Json | undefined, end: Json, conf: Readonly<Record<string, string>>): AsyncIterable<Chunk>;
}

export interface NextBatch {
  readonly end: Json;
  readonly conf?: Readonly<Record<string, string>>;
}
