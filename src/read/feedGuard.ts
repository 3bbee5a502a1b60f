import { DeltaError } from "../errors.js";
import type { Metadata, Protocol } from "../log/actions.js";
import { checkReadable } from "../log/features.js";
import { property } from "../log/properties.js";
import type { Snapshot } from "../log/snapshot.js";
import { schemaDifferences } from "../schema/compare.js";
import { parseSchema } from "../schema/json.js";
import type { CommitChanges } from "./commitChanges.js";

/**
 * Follows a table's history, version by version, and refuses what can't be told exactly: rows that the schema of `reader` has no room
 * for, and commits that wrote files anew while no change files were written.
 */
export class FeedGuard {
  readonly #reader: Snapshot;
  #protocol: Protocol;
  #metadata: Metadata;

  /**
   * Begins at the version of `start`. Throws `DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA` where rows of then don't fit the reader's
   * schema.
   */
  constructor(reader: Snapshot, start: Snapshot) {
    this.#reader = reader;
    this.#protocol = start.protocol;
    this.#metadata = start.metadata;
    this.checkBefore(start);
  }

  /** Checks that rows of that version fit the reader's schema. Throws as the constructor does. */
  checkBefore({ version, metadata }: Snapshot): void {
    const columns = this.#misfits(metadata);
    if (columns.length > 0)
      throw this.#incompatible("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", version, columns);
  }

  /**
   * Takes in the next commit. Throws `DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE`, `DELTA_MISSING_CHANGE_DATA` and
   * `DELTA_UNSUPPORTED_FEATURES_FOR_READ`.
   */
  take({ version, protocol, metadata, mayRewrite }: CommitChanges): void {
    const columns = metadata === undefined ? [] : this.#misfits(metadata);
    if (columns.length > 0) {
      throw this.#incompatible("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE", version, columns);
    }
    if (protocol !== undefined || metadata !== undefined) {
      this.#protocol = protocol ?? this.#protocol;
      this.#metadata = metadata ?? this.#metadata;
      checkReadable(this.#protocol, this.#metadata);
    }
    if (mayRewrite && !property(this.#metadata, "delta.enableChangeDataFeed")) {
      const { url } = this.#reader.store;
      throw new DeltaError(
        "DELTA_MISSING_CHANGE_DATA",
        `Version ${version} of ${url} wrote files anew while delta.enableChangeDataFeed was off: which of their rows changed wasn't recorded. Begin after version ${version}, and set the property so that later changes are recorded.`,
        { version },
      );
    }
  }

  /** The columns of rows that are lost or changed in the reader's schema. */
  #misfits({ schemaString, partitionColumns }: Metadata): string[] {
    const { schema, metadata } = this.#reader;
    if (schemaString === metadata.schemaString && String(partitionColumns) === String(metadata.partitionColumns))
      return [];
    const differences = schemaDifferences(schema, parseSchema(schemaString));
    // A column that came later is null in older rows.
    const lost = differences.filter(({ kind, assignable }) => kind !== "missing" || !assignable);
    const moved = [...metadata.partitionColumns, ...partitionColumns].filter(
      (name) => metadata.partitionColumns.includes(name) !== partitionColumns.includes(name),
    );
    return [...new Set([...lost.map(({ column }) => column), ...moved])];
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
