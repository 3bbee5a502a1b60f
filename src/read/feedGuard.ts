import { DeltaError } from "../errors.js";
import { columnMappingOf } from "../log/columnMapping.js";
import { property } from "../log/properties.js";
import type { Snapshot } from "../log/snapshot.js";
import { parseSchema } from "../schema/json.js";
import { lostColumns } from "../schema/lostColumns.js";
import type { CommitChanges } from "./commitChanges.js";

/**
 * Follows a table's history, version by version, and refuses what can't be told exactly: rows that the schema of `reader` has no room
 * for, and commits that wrote files anew while no change files were written.
 */
export class FeedGuard {
  readonly #reader: Snapshot;
  readonly #snapshotAt: (version: number) => Promise<Snapshot>;
  /** What is in force at the version taken in last. */
  #state: (Pick<Snapshot, "protocol" | "metadata"> & { readonly version: number }) | undefined;

  constructor(reader: Snapshot, snapshotAt: (version: number) => Promise<Snapshot>) {
    this.#reader = reader;
    this.#snapshotAt = snapshotAt;
  }

  /**
   * Takes in a commit: the one after the last one taken in, that one again, or any other, whose version's state is then looked up.
   *
   * Throws `DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA` where a first commit has rows that don't fit,
   * `DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE` where a later one changes the schema so that they don't,
   * `DELTA_MISSING_CHANGE_DATA` and `DELTA_UNSUPPORTED_FEATURES_FOR_READ`.
   */
  async take({ version, protocol, metadata, mayRewrite, derivesDeletes }: CommitChanges): Promise<void> {
    const before = this.#state;
    if (before !== undefined && (version === before.version || version === before.version + 1)) {
      const columns =
        metadata === undefined && protocol === undefined
          ? []
          : this.#misfits({ protocol: protocol ?? before.protocol, metadata: metadata ?? before.metadata });
      if (columns.length > 0) {
        throw this.#incompatible("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE", version, columns);
      }
      const state = { version, protocol: protocol ?? before.protocol, metadata: metadata ?? before.metadata };
      if (protocol !== undefined || metadata !== undefined) this.#reader.check(state.protocol, state.metadata);
      this.#state = state;
    } else {
      this.#state = await this.#start(version);
      // What it removes has the schema from before it.
      if (metadata !== undefined && derivesDeletes && version > 0) await this.#start(version - 1);
    }
    if (mayRewrite && !property(this.#state.metadata, "delta.enableChangeDataFeed")) {
      const { url } = this.#reader.store;
      throw new DeltaError(
        "DELTA_MISSING_CHANGE_DATA",
        `Version ${version} of ${url} wrote files anew while delta.enableChangeDataFeed was off: which of their rows changed wasn't recorded. Begin after version ${version}, and set the property so that later changes are recorded.`,
        { version },
      );
    }
  }

  async #start(version: number): Promise<Snapshot> {
    const start = await this.#snapshotAt(version);
    const columns = this.#misfits(start);
    if (columns.length === 0) return start;
    throw this.#incompatible("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", version, columns);
  }

  /** The columns of rows that are lost, changed or not found with the reader's schema. */
  #misfits(state: Pick<Snapshot, "protocol" | "metadata">): string[] {
    const { schemaString, partitionColumns } = state.metadata;
    const { metadata, columnMapping } = this.#reader;
    const mode = columnMappingOf(state.protocol, state.metadata);
    const isSame = schemaString === metadata.schemaString && mode === columnMapping;
    if (isSame && String(partitionColumns) === String(metadata.partitionColumns)) return [];
    const lost = lostColumns(this.#reader, { schema: parseSchema(schemaString), columnMapping: mode });
    const moved = [...metadata.partitionColumns, ...partitionColumns].filter(
      (name) => metadata.partitionColumns.includes(name) !== partitionColumns.includes(name),
    );
    return [...new Set([...lost, ...moved])];
  }

  #incompatible(
    code: "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA" | "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE",
    version: number,
    columns: readonly string[],
  ): DeltaError {
    const { store, version: readVersion } = this.#reader;
    return new DeltaError(
      code,
      `Changes of ${store.url} are read with the schema of version ${readVersion}, in which rows of version ${version} don't fit: ${columns.join(", ")}. Read up to the version before the schema changed, and from the version that changed it on.`,
      { version, readVersion, columns },
    );
  }
}
