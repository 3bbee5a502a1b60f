import { parseTimestamp } from "../../schema/time.js";
import type { CommandRow, Given, Session } from "../command.js";
import { escapeControls } from "../text.js";
import { UsageError } from "../usage.js";
import { printScan, SCAN_OPTIONS } from "./scanRows.js";

export const changes: CommandRow = {
  name: "changes",
  summary: "Print the rows that were inserted, updated and deleted",
  maxOperands: 0,
  options: [
    {
      name: "from",
      kind: "text",
      value: "N|TIME",
      summary: "the first version, or the first one at this time or later",
    },
    {
      name: "to",
      kind: "text",
      value: "N|TIME",
      summary: "the last version, or the last one by then; default: the newest",
    },
    ...SCAN_OPTIONS,
  ],
  examples: [
    { command: "changes ./events --from 3", does: "What versions 3 and later changed" },
    {
      command: `changes ./events --from 2026-01-31 --where "_change_type = 'delete'" --format csv`,
      does: "Rows deleted since a day, as CSV",
    },
  ],
  run: printChanges,
};

async function printChanges(session: Session, given: Given): Promise<void> {
  const from = placeGiven(given, "from");
  if (from === undefined) {
    throw new UsageError("--from is missing", "Give the first version that is wanted, or a time: --from 3.");
  }
  const to = placeGiven(given, "to");
  await printScan(session, given, (options) => session.table.changes({ ...options, from, to }));
}

/** A version where it is a whole number, else a time. */
function placeGiven(given: Given, option: "from" | "to"): number | string | undefined {
  const text = given.text(option);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  if (parseTimestamp(text) !== undefined) return text;
  throw new UsageError(
    `--${option} can't be "${escapeControls(text)}"`,
    `Give a version, or an ISO 8601 time: --${option} 2026-01-31T12:00:00Z (UTC where it names no zone).`,
  );
}
