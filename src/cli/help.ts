import { optionsOf, placeholder, usageLine } from "./arguments.js";
import type { CommandRow, Example, OptionRow } from "./command.js";

const INDENT = "  ";

/** What `delta-table --help` prints. */
export function programHelp(commands: readonly CommandRow[]): string {
  return joined([
    "delta-table: read and write Delta Lake tables, on a local disk or S3.",
    "",
    "Usage: delta-table <command> <table> [options]",
    "",
    "Commands:",
    ...columns(commands.map((command) => [command.name, command.summary])),
    "",
    "<table> is a path, or a file: or s3://bucket/prefix URL. Credentials for S3 come from the usual AWS",
    "environment variables and files.",
    "",
    ...examples([
      { command: "append ./events today.csv", does: "Load a CSV file; the first append creates the table" },
      { command: "read ./events --limit 10", does: "Look at it" },
      { command: "read ./events --version 3 --format csv > old.csv", does: "Save it as it was at version 3" },
    ]),
    "",
    "delta-table <command> --help tells more; delta-table --version prints the version.",
    "Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.",
  ]);
}

/** What `delta-table <command> --help` prints. */
export function commandHelp(command: CommandRow): string {
  return joined([
    `${command.summary}.`,
    "",
    `Usage: ${usageLine(command)} [options]`,
    "",
    "Options:",
    ...columns(optionsOf(command).map((row) => [optionText(row), row.summary])),
    "",
    ...examples(command.examples),
  ]);
}

function optionText(row: OptionRow): string {
  return `--${row.name} ${placeholder(row)}`.trimEnd();
}

/** Two columns; a left cell that is too long has a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(30, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) =>
    left.length > width
      ? [INDENT + left, `${INDENT}${" ".repeat(width)}  ${right}`]
      : [`${INDENT}${left.padEnd(width)}  ${right}`],
  );
}

function examples(rows: readonly Example[]): string[] {
  const lines = rows.flatMap(({ command, does }) => {
    const line = command.includes(" | ") ? command : `delta-table ${command}`;
    return [`${INDENT}${line}`, `${INDENT}${INDENT}${INDENT}${does}`];
  });
  return ["Examples:", ...lines];
}

function joined(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
