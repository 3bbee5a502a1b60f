import { SqlText } from "../../schema/sqlText.js";
import type { CommandRow, Given, OptionRow, Session } from "../command.js";
import { countOf, escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { COMMIT_OPTIONS, commitOptionsOf } from "./commitOptions.js";

export const SET: OptionRow = {
  name: "set",
  kind: "pairs",
  value: "COLUMN=SQL",
  summary: "a column's new value; as often as wanted",
};

export const update: CommandRow = {
  name: "update",
  summary: "Give the rows of a condition new values, as one new version",
  maxOperands: 0,
  options: [
    SET,
    { name: "where", kind: "text", value: "SQL", summary: "only rows for which this is true" },
    ...COMMIT_OPTIONS,
  ],
  examples: [
    {
      command: `update ./events --set "price=price * 1.1" --set "state='new'" --where "day >= '2026-01-01'"`,
      does: "Texts stand in single quotes, as always in SQL",
    },
  ],
  commits: true,
  run,
};

async function run({ table, signal, stdout, json }: Session, given: Given): Promise<void> {
  const set = setOf(given);
  if (set === undefined) throw new UsageError("there is nothing to set", 'Give --set "column=SQL".');
  const result = await table.update({ set, where: given.text("where"), ...commitOptionsOf(given), signal });
  const location = escapeControls(table.url);
  const { version, skipped, updatedRowCount } = result;
  const said = skipped
    ? `skipped: ${location} has this transaction already (version ${version})`
    : `updated ${countOf(updatedRowCount, "row")} of ${location}, version ${version}`;
  await stdout.line(json ? jsonText({ location: table.url, ...result }) : said);
}

/** Columns and the expressions of their values; undefined where none is given. */
export function setOf(given: Given): Readonly<Record<string, SqlText>> | undefined {
  const pairs = given.pairs("set");
  return pairs && Object.fromEntries(Object.entries(pairs).map(([name, text]) => [name, new SqlText(text)]));
}
