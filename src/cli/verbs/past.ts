import { parseTimestamp } from "../../schema/time.js";
import type { Table } from "../../table.js";
import type { Given, OptionRow } from "../command.js";
import { escapeControls } from "../text.js";
import { UsageError } from "../usage.js";

/** The options of commands that can read a past version. */
export const PAST_OPTIONS: readonly OptionRow[] = [
  {
    name: "version",
    kind: "count",
    value: "N",
    summary: "the table as it was at this version",
    excludes: ["timestamp"],
  },
  { name: "timestamp", kind: "text", value: "TIME", summary: 'the table as it was then: "2026-01-31T12:00:00Z"' },
];

/** The table at the version or time given, or as it is. Throws {@link UsageError} where the time is none. */
export function tableAt(table: Table, given: Given): Table {
  const version = given.count("version");
  if (version !== undefined) return table.at(version);
  const time = given.text("timestamp");
  if (time === undefined) return table;
  if (parseTimestamp(time) === undefined) {
    throw new UsageError(
      `--timestamp can't be "${escapeControls(time)}"`,
      "Give an ISO 8601 time: --timestamp 2026-01-31T12:00:00Z (UTC where it names no zone).",
    );
  }
  return table.at(time);
}
