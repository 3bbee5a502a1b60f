import { parseArgs } from "node:util";
import { nearestName } from "../schema/columns.js";
import type { CommandRow, Given, OptionRow } from "./command.js";
import { escapeControls } from "./text.js";
import { UsageError } from "./usage.js";

/** Options that all commands take. */
const COMMON_OPTIONS: readonly OptionRow[] = [
  { name: "endpoint", kind: "text", value: "URL", summary: "S3 server to use (or AWS_ENDPOINT_URL)" },
  { name: "catalog-managed-by-path", kind: "flag", summary: "read what a catalog has published of its table" },
  { name: "data-roots", kind: "names", value: "A,B", summary: "other folders that a shallow clone's files are in" },
  { name: "follow-links", kind: "flag", summary: "follow links out of the table's folder" },
  { name: "region", kind: "text", value: "NAME", summary: "S3 region (or AWS_REGION)" },
  { name: "json", kind: "flag", summary: "output and errors for programs" },
  { name: "help", kind: "flag", summary: "show this help" },
];

/** Every option that a command takes. */
export function optionsOf(command: CommandRow): readonly OptionRow[] {
  return [...command.options, ...COMMON_OPTIONS];
}

/**
 * Reads what stands behind the command's name. Throws {@link UsageError} where an option is unknown, lacks its value, has a
 * wrong one or one too many, and where the table is missing or operands are too many.
 */
export function parseArguments(command: CommandRow, args: readonly string[]): Given {
  const rows = new Map(optionsOf(command).map((row) => [row.name, row]));
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokensOf(args, [...rows.values()])) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const row = token.rawName === "-h" ? rows.get("help") : rows.get(token.name);
    if (row === undefined || !(token.rawName.startsWith("--") || token.rawName === "-h")) {
      throw unknownOption(command, token.rawName, [...rows.keys()]);
    }
    const before = values.get(row.name) ?? [];
    if (before.length > 0 && row.kind !== "pairs" && row.kind !== "flag") {
      throw usage(command, `--${row.name} is given twice`, "Give it once.");
    }
    values.set(row.name, [...before, checkedValue(command, row, token.value, token.inlineValue === true, rows)]);
  }
  if (!values.has("help")) checkTogether(command, values, operands);
  return givenOf(command, values, operands);
}

function tokensOf(args: readonly string[], rows: readonly OptionRow[]) {
  const options = Object.fromEntries(
    rows.map((row) => [row.name, { type: row.kind === "flag" ? ("boolean" as const) : ("string" as const) }]),
  );
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function checkedValue(
  command: CommandRow,
  row: OptionRow,
  value: string | undefined,
  inline: boolean,
  rows: ReadonlyMap<string, OptionRow>,
): string {
  const name = `--${row.name}`;
  if (row.kind === "flag") {
    if (inline) throw usage(command, `${name} takes no value`, `Give just ${name}.`);
    return "";
  }
  const isOption = !inline && value?.startsWith("--") && rows.has(value.slice(2).split("=")[0]!);
  if (value === undefined || isOption) {
    throw usage(command, `${name} needs a value`, `Give ${name} ${placeholder(row)}.`);
  }
  checkValue(command, row, value);
  return value;
}

function checkValue(command: CommandRow, row: OptionRow, value: string): void {
  const said = `--${row.name} can't be "${escapeControls(value)}"`;
  if (row.kind === "count" && !(/^\d+$/.test(value) && Number.isSafeInteger(Number(value)))) {
    throw usage(command, said, "Give a whole number from 0 up.");
  }
  if (row.kind === "names" && splitNames(value).includes("")) {
    throw usage(command, said, `Give names separated by commas: --${row.name} ${placeholder(row)}.`);
  }
  if (row.kind === "pairs" && !/^[^=]+=/.test(value)) {
    throw usage(command, said, `Give a name and a value: --${row.name} ${placeholder(row)}.`);
  }
  if (row.choices && !row.choices.includes(value)) {
    const nearest = nearestName(value, row.choices);
    const hint = nearest === undefined ? `Give one of ${row.choices.join(", ")}.` : `Did you mean ${nearest}?`;
    throw usage(command, said, hint);
  }
}

function checkTogether(
  command: CommandRow,
  values: ReadonlyMap<string, readonly string[]>,
  operands: readonly string[],
): void {
  for (const { name, excludes = [] } of command.options) {
    const other = values.has(name) ? excludes.find((excluded) => values.has(excluded)) : undefined;
    if (other !== undefined) throw usage(command, `--${name} and --${other} exclude each other`, "Give one of them.");
  }
  if (operands.length === 0 || (command.before !== undefined && operands.length === 1)) {
    throw usage(command, "the table is missing", `Give its path or URL: ${usageLine(command)}.`);
  }
  const tooMany = operands[command.maxOperands + 1];
  if (tooMany !== undefined) {
    throw usage(command, `"${escapeControls(tooMany)}" is one argument too many`, "Quote a value that holds spaces.");
  }
}

function givenOf(
  { before }: CommandRow,
  values: ReadonlyMap<string, readonly string[]>,
  operands: readonly string[],
): Given {
  const text = (option: string) => values.get(option)?.[0];
  return {
    location: (before === undefined ? operands[0] : operands.at(-1)) ?? "",
    operands: before === undefined ? operands.slice(1) : operands.slice(0, -1),
    has: (option) => values.has(option),
    text,
    count: (option) => (values.has(option) ? Number(text(option)) : undefined),
    names: (option) => (values.has(option) ? splitNames(text(option)!) : undefined),
    pairs: (option) => (values.has(option) ? Object.fromEntries(values.get(option)!.map(splitPair)) : undefined),
  };
}

/** Names between commas; one that holds a comma itself stands in backticks, as in SQL. */
function splitNames(value: string): string[] {
  const names = value.match(/(?:`(?:[^`]|``)*`|[^,`])+|(?<=^|,)(?=,|$)/g) ?? [value];
  return names.map((name) => {
    const trimmed = name.trim();
    return /^`.*`$/s.test(trimmed) ? trimmed.slice(1, -1).replaceAll("``", "`") : trimmed;
  });
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function unknownOption(command: CommandRow, option: string, names: readonly string[]): UsageError {
  const nearest = nearestName(option.replace(/^-+/, ""), names);
  const hint = nearest === undefined ? "" : `Did you mean --${nearest}?`;
  return usage(command, `${command.name} has no option ${escapeControls(option)}`, hint);
}

function usage(command: CommandRow, message: string, hint: string): UsageError {
  return new UsageError(message, `${hint} See: delta-table ${command.name} --help`.trimStart());
}

/** How the command is called, but for its options. */
export function usageLine({ name, before, operands }: CommandRow): string {
  return ["delta-table", name, before, "<table>", operands].filter((word) => word !== undefined).join(" ");
}

/** What stands for an option's value in help and hints. */
export function placeholder(row: OptionRow): string {
  return row.choices?.join("|") ?? row.value ?? "";
}
