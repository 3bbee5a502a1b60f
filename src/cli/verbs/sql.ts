import type { Table } from "../../table.js";
import type { CommandRow, Given, Session } from "../command.js";
import { openOptionsOf } from "../openOptions.js";
import { escapeControls } from "../text.js";
import { UsageError } from "../usage.js";
import { PAST_OPTIONS, tableAt } from "./past.js";
import { printScan, SCAN_OPTIONS } from "./scanRows.js";

export const sql: CommandRow = {
  name: "sql",
  summary: 'Print what a SQL query gives, in which the table is called "this"',
  operands: "QUERY",
  maxOperands: 1,
  options: [
    ...SCAN_OPTIONS.filter(({ name }) => name === "format" || name === "limit"),
    { name: "table", kind: "pairs", value: "NAME=TABLE[@VERSION]", summary: "another table; may be given again" },
    ...PAST_OPTIONS,
  ],
  examples: [
    { command: `sql ./events "select day, count(*) as n from this group by day"`, does: "One row for each day" },
    {
      command: `sql ./events "from this except from old" --table old=./events@3 --format csv`,
      does: "The rows that version 3 didn't have",
    },
    {
      command: `sql ./orders "select * from this join cities using (city)" --table cities=s3://lake/cities`,
      does: "Two tables",
    },
  ],
  run: runSql,
};

async function runSql(session: Session, given: Given): Promise<void> {
  const [query] = given.operands;
  if (query === undefined) {
    throw new UsageError("the query is missing", `Give it behind the table: sql TABLE "select count(*) from this"`);
  }
  const { Table } = await import("../../table.js");
  const others = Object.entries(given.pairs("table") ?? {}).map(([name, place]) => {
    const { location, version } = otherTable(place);
    return { name, version, table: Table.open(location, openOptionsOf(given)) };
  });
  const tables: Record<string, Table> = {};
  for (const { name, table, version } of others) tables[name] = version === undefined ? table : table.at(version);
  try {
    await printScan(session, given, ({ limit, signal }) =>
      tableAt(session.table, given).sql(query, {
        tables,
        ...(limit === undefined ? {} : { limit }),
        ...(signal && { signal }),
      }),
    );
  } finally {
    await Promise.all(others.map(({ table }) => table[Symbol.asyncDispose]()));
  }
}

/** A table's location, and behind an @ the version. */
function otherTable(place: string): { readonly location: string; readonly version: number | undefined } {
  const [, location, version] = /^(.+?)(?:@(\d+))?$/s.exec(place) ?? [];
  if (location === undefined) {
    throw new UsageError(
      `--table can't be "${escapeControls(place)}"`,
      "Give a name and a table: --table old=./events@3",
    );
  }
  return { location, version: version === undefined ? undefined : Number(version) };
}
