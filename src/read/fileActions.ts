import type { RecordBatch } from "apache-arrow";
import type { AddFile } from "../log/actions.js";
import { descriptorReader } from "../log/deletionVectors/descriptors.js";
import { mapReader } from "./maps.js";

/** Every column of a live file: what {@link addReader} needs. */
export const ADD_COLUMNS = [
  "path",
  "partitionValues",
  "size",
  "modificationTime",
  "dataChange",
  "stats",
  "tags",
  "deletionVector",
  "baseRowId",
  "defaultRowCommitVersion",
  "clusteringProvider",
] as const;

/** Reads the `add` action of a row of a batch that `fileBatches` gave with {@link ADD_COLUMNS}, as the log spells it. */
export function addReader(batch: RecordBatch): (row: number) => AddFile {
  const value = (name: string) => {
    const column = batch.getChild(name);
    return (row: number) => column?.get(row) ?? undefined;
  };
  const [path, size, time] = [value("path"), value("size"), value("modificationTime")];
  const [stats, baseRowId, commitVersion] = [value("stats"), value("baseRowId"), value("defaultRowCommitVersion")];
  const clusteringProvider = value("clusteringProvider");
  const partitionValues = mapReader(batch, "partitionValues");
  const tags = mapReader(batch, "tags");
  const deletionVectors = descriptorReader(batch);
  return (row) => {
    const [statsText, vector, tagMap] = [stats(row), deletionVectors(row), tags(row)];
    const [id, version, provider] = [baseRowId(row), commitVersion(row), clusteringProvider(row)];
    return {
      path: path(row),
      partitionValues: Object.fromEntries(partitionValues(row)),
      size: Number(size(row)),
      modificationTime: Number(time(row)),
      dataChange: true,
      ...(statsText !== undefined && { stats: statsText }),
      ...(tagMap.size > 0 && { tags: Object.fromEntries(tagMap) }),
      ...(vector !== undefined && { deletionVector: vector }),
      ...(id !== undefined && { baseRowId: Number(id) }),
      ...(version !== undefined && { defaultRowCommitVersion: Number(version) }),
      ...(provider !== undefined && { clusteringProvider: provider }),
    };
  };
}
