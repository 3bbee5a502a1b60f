import { loaded } from "../lazy.js";
import type { BadRecord, ParseOptions } from "../load/format/format.js";
import type { SourceFormat } from "../load/source/source.js";
import type { SchemaOption } from "../ops/schemaOption.js";
import type { StorageOptions } from "../storage/open.js";
import { checkLimits, type TriggerLimits } from "./limits.js";
import type { OpenSource, SourceContext, StreamSource } from "./source.js";

/** What is in a folder's files, and how many of them a batch reads. */
export interface FolderStreamOptions extends TriggerLimits {
  /** The rows' schema: a stream's files come over time, so that no sample of them says it for good. */
  readonly schema: SchemaOption;
  /** Of all files; by default each file's name tells. */
  readonly format?: SourceFormat;
  /** How text files are written; what isn't said is found out for each file. */
  readonly parse?: ParseOptions;
  /** How the folder's storage is reached. */
  readonly storage?: StorageOptions;
  /**
   * Gets the records that can't be read as rows of the schema, with the file they are in; they are left out. Without it, such a record
   * stops the stream before its batch. It may be called again with the same record after a crash.
   */
  readonly onBadRecord?: (record: BadRecord, file: string) => void;
}

/** The files that come into a folder, each of them once, whole. */
export class FolderSource implements StreamSource {
  readonly #folder: string;
  readonly #options: FolderStreamOptions;

  constructor(folder: string | URL, options: FolderStreamOptions) {
    checkLimits(options);
    this.#folder = folder instanceof URL ? folder.href : folder;
    this.#options = options;
  }

  async open(context: SourceContext): Promise<OpenSource> {
    const { openFolder } = await loaded(() => import("./openFolder.js"), "delta-table/stream");
    return openFolder(this.#folder, this.#options, context);
  }
}
