import type { CommandRow, Given, Session } from "../command.js";
import { openOptionsOf } from "../openOptions.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const clone: CommandRow = {
  name: "clone",
  summary: "Copy a table to another place, or make one that names its files",
  operands: "TARGET",
  maxOperands: 1,
  options: [
    { name: "shallow", kind: "flag", summary: "name the files instead of copying them" },
    {
      name: "property",
      kind: "pairs",
      value: "KEY=VALUE",
      summary: "a table property of the clone; may be given again",
    },
    ...PAST_OPTIONS,
  ],
  examples: [
    { command: "clone ./events s3://backup/events", does: "A copy; repeat it to go on after a crash" },
    { command: "clone ./events ./test --shallow --version 3", does: "Version 3, for a test" },
    { command: "read ./test --data-roots ./events", does: "A shallow clone is read together with its source" },
  ],
  commits: true,
  run: cloneTable,
};

async function cloneTable({ stdout, table, json, progress, signal }: Session, given: Given): Promise<void> {
  const [location] = given.operands;
  if (location === undefined)
    throw new UsageError("the target is missing", "Give it behind the table: clone TABLE TARGET");
  const properties = given.pairs("property");
  const { Table } = await import("../../table.js");
  await using target = Table.open(location, { ...openOptionsOf(given), dataRoots: [] });
  const shallow = given.has("shallow");
  const result = await tableAt(table, given).clone(target, {
    shallow,
    ...(properties === undefined ? {} : { properties }),
    signal,
    onProgress: ({ done }) => progress.show(done, shallow ? "files named" : "files copied"),
  });
  progress.clear();
  if (json) return stdout.line(jsonText({ location: target.url, ...result }));
  const { fileCount, sizeBytes, sourceVersion } = result;
  const what = `${countOf(fileCount, "file")}, ${formatSize(sizeBytes)}`;
  await stdout.line(`cloned version ${sourceVersion} to ${escapeControls(target.url)}: ${what}`);
}
