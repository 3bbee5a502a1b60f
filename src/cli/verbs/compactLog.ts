import type { CommandRow, Given, Session } from "../command.js";
import { escapeControls, formatSize, jsonText } from "../text.js";

export const compactLog: CommandRow = {
  name: "compact-log",
  summary: "Write one file in the place of commits, which stay, so that readers read fewer",
  maxOperands: 0,
  options: [
    {
      name: "from",
      kind: "count",
      value: "N",
      summary: "the first commit (default: the one after the newest checkpoint)",
    },
    { name: "to", kind: "count", value: "N", summary: "the last one (default: the newest version's)" },
  ],
  examples: [{ command: "compact-log ./events", does: "The commits since the last checkpoint, in one file" }],
  run: compact,
};

async function compact({ stdout, table, json, signal }: Session, given: Given): Promise<void> {
  const [from, to] = [given.count("from"), given.count("to")];
  const written = await table.compactLog({
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    signal,
  });
  if (json) return stdout.line(jsonText(written ?? {}));
  if (written === undefined) return stdout.line(`nothing to do for ${escapeControls(table.url)}`);
  await stdout.line(`wrote commits ${written.from} to ${written.to} as one file (${formatSize(written.sizeBytes)})`);
}
