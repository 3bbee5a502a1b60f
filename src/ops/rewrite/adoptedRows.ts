import { readFile } from "node:fs/promises";
import { columnMappingOf } from "../../log/columnMapping.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { isFeatureActive } from "../../log/features.js";
import { property } from "../../log/properties.js";
import type { Snapshot } from "../../log/snapshot.js";
import { chunkBounds } from "../../parquet/chunkBounds.js";
import { isGeo } from "../../schema/geo.js";
import type { DataType } from "../../schema/types.js";
import { AdoptedFiles } from "../../write/adoptedFiles.js";
import type { StagedFiles } from "../../write/dataFiles.js";
import { hasRowRules } from "../../write/rowRules.js";
import { dataFileOptions } from "../stagedAppend.js";

/** Changed rows that DuckDB wrote, which become data files as they are. */
export class AdoptedRows {
  /** Bytes of rows beyond which they are written batch by batch: a file is held while it is taken in. */
  static readonly maxBytes = 128 * 1024 * 1024;
  readonly #files: AdoptedFiles;
  readonly #required: readonly string[];

  /** Undefined where a table's files aren't what DuckDB writes, or its rows have more to them than their values. */
  static of(log: DeltaLog, snapshot: Snapshot, signal: AbortSignal | undefined): AdoptedRows | undefined {
    const { protocol, metadata, schema } = snapshot;
    const isPlain =
      metadata.partitionColumns.length === 0 &&
      property(metadata, "delta.parquet.compression.codec") === "snappy" &&
      columnMappingOf(protocol, metadata) === "none" &&
      !hasRowRules(metadata) &&
      !isFeatureActive("rowTracking", protocol, metadata) &&
      !isFeatureActive("changeDataFeed", protocol, metadata) &&
      schema.fields.every(({ type }) => isPlainType(type));
    return isPlain ? new AdoptedRows(log, snapshot, signal) : undefined;
  }

  private constructor(log: DeltaLog, snapshot: Snapshot, signal: AbortSignal | undefined) {
    const { protocol, metadata, schema, domainMetadata } = snapshot;
    const domains = [...domainMetadata.values()];
    const options = dataFileOptions({ snapshot: undefined, protocol, metadata, schema, domains });
    this.#files = new AdoptedFiles(log.store, { ...options, ...(signal && { signal }) });
    this.#required = schema.fields.flatMap(({ name, nullable }) => (nullable ? [] : [name]));
  }

  /** False where a column has nulls that must have none. */
  async add(localPath: string): Promise<boolean> {
    if (this.#required.length > 0) {
      const { columns } = chunkBounds(new Uint8Array(await readFile(localPath)));
      const isFull = (name: string) => columns.get(name)?.every((chunk) => chunk?.nullCount === 0) ?? false;
      if (!this.#required.every(isFull)) return false;
    }
    await this.#files.add(localPath);
    return true;
  }

  finish(): Promise<StagedFiles> {
    return this.#files.finish();
  }

  discard(): Promise<void> {
    return this.#files.discard();
  }
}

function isPlainType(type: DataType): boolean {
  return typeof type === "string" && type !== "variant" && type !== "void" && !isGeo(type);
}
