import type { CommitRecord, History } from "./history.js";
import { fileNumber, isBadRecord, recordId } from "./jobs.js";

/** The rows of each data file of the table: those of the append, or of the load's batch, whose commit named it first. */
export function rowsByFile({ operations, commits }: History): Map<string, readonly string[]> {
  const rows = new Map(operations.map(({ id, rowIds }) => [id, rowIds]));
  const files = new Map<string, readonly string[]>();
  for (const commit of commits) {
    if (commit.table !== "") continue;
    const ids = rows.get(commit.operation ?? "") ?? loadedRows(commit);
    if (ids === undefined) continue;
    for (const action of commit.actions) if ("add" in action) files.set(action.add.path, ids);
  }
  return files;
}

/** The rows that a load's commit says to hold; undefined for another commit. */
export function loadedRows({ actions }: CommitRecord): string[] | undefined {
  const info = actions.find((action) => "commitInfo" in action)?.commitInfo;
  const ranges = info?.operationParameters?.source;
  if (info?.operation !== "LOAD" || typeof ranges !== "string") return undefined;
  const parsed: { readonly file: string; readonly from: number; readonly to: number }[] = JSON.parse(ranges);
  return parsed.flatMap(({ file, from, to }) =>
    Array.from({ length: to - from }, (_, index) => from + index)
      .filter((record) => !isBadRecord(record))
      .map((record) => recordId(fileNumber(file), record)),
  );
}
