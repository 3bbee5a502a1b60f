import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { COMMIT_OPTIONS, commitOptionsOf } from "./commitOptions.js";

export const optimize: CommandRow = {
  name: "optimize",
  summary: "Write the rows of small files to fewer, larger ones",
  maxOperands: 0,
  options: [
    { name: "where", kind: "text", value: "SQL", summary: "only files that may hold rows for which this is true" },
    { name: "z-order-by", kind: "names", value: "A,B", summary: "rows near each other in these columns come together" },
    { name: "target-file-size", kind: "text", value: "BYTES", summary: "default: the table's delta.targetFileSize" },
    { name: "purge", kind: "flag", summary: "write the files anew of which deletion vectors remove rows" },
    ...COMMIT_OPTIONS,
  ],
  examples: [
    { command: "optimize ./events", does: "No row changes; the old files stay until vacuum" },
    { command: "optimize ./events --z-order-by customer,product", does: "So that conditions on either skip files" },
  ],
  commits: true,
  run: optimizeTable,
};

async function optimizeTable(session: Session, given: Given): Promise<void> {
  const { table, signal, stdout, progress, json } = session;
  const size = given.text("target-file-size");
  if (size !== undefined && !/^[1-9]\d{0,14}$/.test(size)) {
    throw new UsageError(`--target-file-size can't be "${escapeControls(size)}"`, "Give a number of bytes.");
  }
  const result = await table.optimize({
    where: given.text("where"),
    zOrderBy: given.names("z-order-by"),
    purge: given.has("purge"),
    ...(size === undefined ? {} : { targetFileSizeBytes: Number(size) }),
    ...commitOptionsOf(given),
    signal,
    onProgress: ({ fileCount, totalFileCount }) => progress.show(fileCount, `of ${totalFileCount} files`),
  });
  progress.clear();
  const location = escapeControls(table.url);
  if (json) return stdout.line(jsonText({ location: table.url, ...result }));
  const { version, removedFileCount, addedFileCount, removedBytes, addedBytes } = result;
  if (removedFileCount === 0) return stdout.line(`nothing to do: ${location} stays at version ${version}`);
  const before = `${countOf(removedFileCount, "file")} (${formatSize(removedBytes)})`;
  const after = `${countOf(addedFileCount, "file")} (${formatSize(addedBytes)})`;
  await stdout.line(`${before} became ${after} in ${location}, version ${version}`);
}
