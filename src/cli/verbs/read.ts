import type { CommandRow } from "../command.js";
import { PAST_OPTIONS, tableAt } from "./past.js";
import { printScan, SCAN_OPTIONS } from "./scanRows.js";

export const read: CommandRow = {
  name: "read",
  summary: "Print the rows of a table",
  maxOperands: 0,
  options: [...SCAN_OPTIONS, ...PAST_OPTIONS],
  examples: [
    { command: "read ./events --columns id,name --limit 10", does: "Two columns of ten rows" },
    { command: `read ./events --where "day >= '2026-01-01'" --format csv > days.csv`, does: "Matching rows as CSV" },
    { command: "read ./events --columns id,_metadata.row_id", does: "With row ids, where the table tracks rows" },
    { command: "read ./events --version 3", does: "The rows as they were at version 3" },
    { command: "delta-table read ./events | jq .name", does: "JSON lines for another program" },
  ],
  run: (session, given) => printScan(session, given, (options) => tableAt(session.table, given).scan(options)),
};
