import { loaded } from "../../lazy.js";
import type { SourceFormat } from "../source/source.js";
import type { Format } from "./format.js";

/** The formats of source files. What reads one is loaded when a file has it. */
export const formats: Readonly<Partial<Record<SourceFormat, () => Promise<Format>>>> = {
  csv: () => loaded(import("./csv/csvFormat.js"), "the CSV reader").then(({ csvFormat }) => csvFormat),
  jsonl: () => loaded(import("./jsonl/jsonlFormat.js"), "the JSON lines reader").then(({ jsonlFormat }) => jsonlFormat),
};
