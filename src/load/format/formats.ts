import { loaded } from "../../lazy.js";
import type { SourceFormat } from "../source/source.js";
import type { Format } from "./format.js";

/** The formats of source files. What reads one is loaded when a file has it. */
export const formats: Readonly<Record<SourceFormat, () => Promise<Format>>> = {
  csv: () => loaded(() => import("./csv/csvFormat.js"), "the CSV reader").then((module) => module.csvFormat),
  jsonl: () =>
    loaded(() => import("./jsonl/jsonlFormat.js"), "the JSON lines reader").then((module) => module.jsonlFormat),
  parquet: () =>
    loaded(() => import("./columnar/parquetFormat.js"), "the Parquet reader").then((module) => module.parquetFormat),
  arrow: () =>
    loaded(() => import("./columnar/arrowFormat.js"), "the Arrow reader").then((module) => module.arrowFormat),
};
