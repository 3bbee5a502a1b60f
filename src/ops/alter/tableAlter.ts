import { loaded } from "../../lazy.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import type { AddedColumns } from "./addColumns.js";
import type { AlterOptions, AlterResult } from "./alterTable.js";
import type { ColumnChange } from "./changeColumn.js";
import type { ColumnPath } from "./columnPath.js";
import type { TableDescriptions } from "./describe.js";
import type { DropFeatureOptions } from "./dropFeature.js";
import type { ProtocolVersions } from "./upgradeProtocol.js";

const MODULE = "delta-table/ops/alter";

/**
 * Changes of what a table is: its columns, properties and features. Each is one version, all or nothing; no row is written anew.
 *
 * Whoever changes the table at the same time is a conflict: `DELTA_METADATA_CHANGED` or `DELTA_PROTOCOL_CHANGED`, after which nothing is
 * committed and the call may be made again. All throw `DELTA_TABLE_NOT_FOUND`, `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE` and storage errors. See
 * spec/alter.md.
 */
export class TableAlter {
  readonly #log: DeltaLog;

  /** @internal */
  constructor(log: DeltaLog) {
    this.#log = log;
  }

  /**
   * Adds columns, nested ones too, which are null in the rows that are there. Throws `DELTA_DUPLICATE_COLUMNS_FOUND`,
   * `DELTA_COLUMN_NOT_FOUND` for the struct or sibling, `DELTA_INVALID_SCHEMA`, and `DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT` for a type whose
   * feature the table lacks.
   *
   * @example
   * await table.alter.addColumns({ score: "double" });
   * await table.alter.addColumns([{ path: "address.zip", type: "string", position: { after: "city" } }]);
   */
  async addColumns(columns: AddedColumns, options: AlterOptions = {}): Promise<AlterResult> {
    const { addColumns } = await loaded(() => import("./addColumns.js"), MODULE);
    return addColumns(this.#log, columns, options);
  }

  /**
   * Gives a column another name. The table must map its columns (`delta.columnMapping.mode`). Throws `DELTA_UNSUPPORTED_RENAME_COLUMN`,
   * `DELTA_COLUMN_NOT_FOUND`, `DELTA_DUPLICATE_COLUMNS_FOUND`, and `DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE` or
   * `DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE` where an expression speaks of it.
   *
   * @example
   * await table.alter.renameColumn("address.zip", "postcode");
   */
  async renameColumn(column: ColumnPath, newName: string, options: AlterOptions = {}): Promise<AlterResult> {
    const { renameColumn } = await loaded(() => import("./renameColumn.js"), MODULE);
    return renameColumn(this.#log, column, newName, options);
  }

  /**
   * Takes columns away. Their values stay in the data files until these are written anew. The table must map its columns. Throws
   * `DELTA_UNSUPPORTED_DROP_COLUMN`, `DELTA_COLUMN_NOT_FOUND`, `DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN`, `DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN`,
   * `DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA`, and what {@link TableAlter.renameColumn} says of expressions.
   *
   * @example
   * await table.alter.dropColumns(["score", "address.zip"]);
   */
  async dropColumns(columns: string | readonly ColumnPath[], options: AlterOptions = {}): Promise<AlterResult> {
    const { dropColumns } = await loaded(() => import("./dropColumns.js"), MODULE);
    return dropColumns(this.#log, columns, options);
  }

  /**
   * Changes a column's comment, whether it may be null, its type, its place or its default. A type becomes a wider one where
   * `delta.enableTypeWidening` is on; a column that shall not be null is looked through first. A default is for rows to come, and needs the feature
   * `allowColumnDefaults` (`DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT`); one that the column can't take is `DELTA_INVALID_EXPRESSION`,
   * `DELTA_UNSUPPORTED_EXPRESSION`, `DELTA_EXPRESSION_FAILED` or `DELTA_INVALID_SCHEMA`. Throws
   * `DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP` for other types, `DELTA_NOT_NULL_CONSTRAINT_VIOLATED`, `DELTA_COLUMN_NOT_FOUND`.
   *
   * @example
   * await table.alter.changeColumn("id", { type: "long", comment: "of the order", position: "first" });
   * await table.alter.changeColumn("state", { default: "'new'" });
   */
  async changeColumn(column: ColumnPath, change: ColumnChange, options: AlterOptions = {}): Promise<AlterResult> {
    const { changeColumn } = await loaded(() => import("./changeColumn.js"), MODULE);
    return changeColumn(this.#log, column, change, options);
  }

  /**
   * Has an identity column go on behind the furthest value that the table holds, which somebody may have given by hand; never
   * back. Looks through the column. Throws `DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN`, `DELTA_COLUMN_NOT_FOUND`, and
   * `DELTA_CONCURRENT_APPEND` where rows came meanwhile.
   *
   * @example
   * await table.alter.syncIdentity("id");
   */
  async syncIdentity(column: ColumnPath, options: AlterOptions = {}): Promise<AlterResult> {
    const { syncIdentity } = await loaded(() => import("./syncIdentity.js"), MODULE);
    return syncIdentity(this.#log, column, options);
  }

  /**
   * Has every row from now on meet a condition: one of Spark SQL that is true, not null. The rows that are there are checked first. Throws
   * `DELTA_NEW_CHECK_CONSTRAINT_VIOLATION` where one breaks it, `DELTA_CONSTRAINT_ALREADY_EXISTS`, `DELTA_INVALID_EXPRESSION`,
   * `DELTA_UNSUPPORTED_EXPRESSION`, `DELTA_NON_BOOLEAN_CHECK_CONSTRAINT`, `DELTA_MISSING_DEPENDENCY`, and `DELTA_CONCURRENT_APPEND` where rows came
   * meanwhile.
   *
   * @example
   * await table.alter.addConstraint("positive", "price > 0");
   */
  async addConstraint(name: string, expression: string, options: AlterOptions = {}): Promise<AlterResult> {
    const { addConstraint } = await loaded(() => import("./constraints.js"), MODULE);
    return addConstraint(this.#log, name, expression, options);
  }

  /**
   * Takes a constraint away. Throws `DELTA_CONSTRAINT_DOES_NOT_EXIST` unless `ifExists`.
   *
   * @example
   * await table.alter.dropConstraint("positive");
   */
  async dropConstraint(
    name: string,
    options: AlterOptions & { readonly ifExists?: boolean } = {},
  ): Promise<AlterResult> {
    const { dropConstraint } = await loaded(() => import("./constraints.js"), MODULE);
    return dropConstraint(this.#log, name, options);
  }

  /**
   * Sets table properties. One that turns a feature on adds that to the protocol; `delta.feature.<name>` = `supported` adds one that
   * isn't turned on. Turning on `delta.enableRowTracking` first gives ids to all files, in commits before; setting
   * `delta.columnMapping.mode` to `none` first writes all files anew, in one. Throws `DELTA_UNKNOWN_PROPERTY`, `DELTA_INVALID_PROPERTY_VALUE`, `DELTA_CANNOT_MODIFY_TABLE_PROPERTY`, `DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE`.
   *
   * @example
   * await table.alter.setProperties({ "delta.enableChangeDataFeed": "true", owner: "billing" });
   */
  async setProperties(properties: Readonly<Record<string, string>>, options: AlterOptions = {}): Promise<AlterResult> {
    const { setProperties } = await loaded(() => import("./setProperties.js"), MODULE);
    return setProperties(this.#log, properties, options);
  }

  /**
   * Takes properties away, so that they have their defaults. Features stay. Throws `DELTA_UNSET_NON_EXISTENT_PROPERTY` unless `ifExists`,
   * and what {@link TableAlter.setProperties} throws.
   *
   * @example
   * await table.alter.unsetProperties(["owner"], { ifExists: true });
   */
  async unsetProperties(
    names: readonly string[],
    options: AlterOptions & { readonly ifExists?: boolean } = {},
  ): Promise<AlterResult> {
    const { unsetProperties } = await loaded(() => import("./setProperties.js"), MODULE);
    return unsetProperties(this.#log, names, options);
  }

  /**
   * Has `optimize` bring neighbours in these columns together from now on; by none, no more. Throws `DELTA_INVALID_ARGUMENT`, and
   * `DELTA_ALTER_TABLE_CLUSTER_BY_NOT_ALLOWED` where the table lacks the feature, `DELTA_CLUSTERING_COLUMN_MISSING_STATS` where a file's
   * statistics don't tell of a column.
   *
   * @example
   * await table.alter.clusterBy(["customer", "address.city"]);
   */
  async clusterBy(columns: readonly string[], options: AlterOptions = {}): Promise<AlterResult> {
    const { clusterBy } = await loaded(() => import("./clusterBy.js"), MODULE);
    return clusterBy(this.#log, columns, options);
  }

  /**
   * Gives the table a name and a description.
   *
   * @example
   * await table.alter.describe({ description: "One row an order" });
   */
  async describe(texts: TableDescriptions, options: AlterOptions = {}): Promise<AlterResult> {
    const { describe } = await loaded(() => import("./describe.js"), MODULE);
    return describe(this.#log, texts, options);
  }

  /**
   * Adds a feature, and those that it needs, to the table's protocol; nothing is turned on. Who lacks the feature can't read or write the
   * table any more. Throws `DELTA_UNSUPPORTED_FEATURES_IN_CONFIG`.
   *
   * @example
   * await table.alter.addFeature("timestampNtz");
   */
  async addFeature(feature: string, options: AlterOptions = {}): Promise<AlterResult> {
    const { addFeature } = await loaded(() => import("./addFeature.js"), MODULE);
    return addFeature(this.#log, feature, options);
  }

  /**
   * Takes a feature away from the table's protocol. Most must not be in use. `deletionVectors`, `v2Checkpoint`, `columnMapping`, `typeWidening` and
   * `inCommitTimestamp` are turned off first, and files that need them written anew, in versions of their own; with `rowTracking` all files lose
   * their ids first. Where readers have to know the feature, checkpoints then keep older versions apart, which `checkpointProtection` has
   * writers keep; with `truncateHistory` they are removed instead, once they are a day old
   * (`delta.dropFeatureTruncateHistory.retentionDuration`), which takes a second call. A crash between leaves a table that works, and the same
   * call goes on. Throws `DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT`, `DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE`,
   * `DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE`, `DELTA_FEATURE_DROP_DEPENDENT_FEATURE`, `DELTA_FEATURE_DROP_IN_USE`,
   * `DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE`, `DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING`, what `Table.optimize` throws, and
   * of older versions `DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD`, `DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST`,
   * `DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED`, `DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION` and
   * `DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD`.
   *
   * @example
   * await table.alter.dropFeature("deletionVectors");
   * await table.alter.dropFeature("checkpointProtection", { truncateHistory: true });
   */
  async dropFeature(feature: string, options: DropFeatureOptions = {}): Promise<AlterResult> {
    const { dropFeature } = await loaded(() => import("./dropFeature.js"), MODULE);
    return dropFeature(this.#log, feature, options);
  }

  /**
   * Raises the protocol's version numbers: to numbers that imply features, or to reader version 3 and writer version 7, which list those
   * that the table has. Who knows lower numbers alone can't read or write the table any more. Throws `DELTA_INVALID_PROTOCOL_DOWNGRADE` for
   * lower numbers and `DELTA_INVALID_ARGUMENT` for those that don't go together.
   *
   * @example
   * await table.alter.upgradeProtocol({ minReaderVersion: 1, minWriterVersion: 4 });
   */
  async upgradeProtocol(versions: ProtocolVersions, options: AlterOptions = {}): Promise<AlterResult> {
    const { upgradeProtocol } = await loaded(() => import("./upgradeProtocol.js"), MODULE);
    return upgradeProtocol(this.#log, versions, options);
  }
}
