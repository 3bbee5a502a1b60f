import type { ParseOptions } from "../../load/format/format.js";
import type { Given, OptionRow } from "../command.js";

/** The options that say how text is parsed. */
export const PARSE_OPTIONS: readonly OptionRow[] = [
  { name: "delimiter", kind: "text", value: "CHAR", summary: "between the values of CSV; default: found out" },
  { name: "quote", kind: "text", value: "CHAR", summary: 'around values that hold the delimiter; default: "' },
  { name: "escape", kind: "text", value: "CHAR", summary: "before a quote in a quoted value; default: the quote" },
  { name: "no-header", kind: "flag", summary: "the first line is a row already" },
  { name: "null", kind: "names", value: "A,B", summary: "texts that stand for null; default: the empty one" },
  {
    name: "encoding",
    kind: "text",
    choices: ["utf-8", "utf-16le", "utf-16be", "latin1", "windows-1252"],
    summary: "of text without a byte order mark",
  },
  { name: "date-format", kind: "text", value: "FORMAT", summary: "such as %d.%m.%Y; default: found out" },
  { name: "timestamp-format", kind: "text", value: "FORMAT", summary: "such as '%d.%m.%Y %H:%M'; default: found out" },
  { name: "rescued-data-column", kind: "text", value: "NAME", summary: "takes, as JSON, what doesn't fit of a row" },
];

/** What the options say about how text is parsed. */
export function parseOptionsGiven(given: Given): ParseOptions {
  const all: ParseOptions = {
    delimiter: given.text("delimiter")?.replace("\\t", "\t"),
    quote: given.text("quote"),
    escape: given.text("escape"),
    header: given.has("no-header") ? false : undefined,
    nullValues: given.names("null"),
    encoding: given.text("encoding"),
    dateFormat: given.text("date-format"),
    timestampFormat: given.text("timestamp-format"),
    rescuedDataColumn: given.text("rescued-data-column"),
  } as ParseOptions;
  return all;
}
