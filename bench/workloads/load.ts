import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { installJars } from "../../test/interop/environment.js";
import { makeCsv } from "../data/csv.js";
import { dataFolder, pythonScript, script } from "../folders.js";
import { capture } from "../process.js";
import type { Setting, Workload } from "../workload.js";

/** Loading one large CSV file into a table, and going on with a load that was stopped at 90 % of it. */
export async function load({ python, quick }: Setting): Promise<Workload> {
  const megabytes = quick ? 20 : 2_000;
  const source = join(dataFolder, `rows-${megabytes}.csv`);
  if (!existsSync(source)) {
    await mkdir(dataFolder, { recursive: true });
    await makeCsv(`${source}.part`, megabytes * 1e6);
    await rename(`${source}.part`, source);
  }
  const table = "{scratch}/table";
  const jars = await installJars();
  return {
    name: "load",
    title: `load a CSV file of ${megabytes} MB with 6 columns`,
    units: 1,
    unit: "run",
    contenders: [
      {
        name: "delta-table, load",
        peer: "delta-table",
        command: [process.execPath, script("contenders/load"), source, table, "whole"],
      },
      {
        name: "delta-table, the last 10 %, resumed",
        peer: "delta-table",
        command: [process.execPath, script("contenders/load"), source, table, "resumed"],
      },
      {
        name: "delta-rs and polars",
        peer: "delta-rs",
        command: [python, pythonScript("load_polars"), source, table],
      },
      { name: "Spark", peer: "spark", command: [python, pythonScript("load_spark"), source, table, jars] },
      {
        name: "DuckDB's COPY to one Parquet file",
        peer: "floor",
        command: [process.execPath, script("contenders/duckdbCopy"), source, "{scratch}"],
      },
      {
        name: "DuckDB's COPY, and an append of its file",
        peer: "delta-table",
        command: [process.execPath, script("contenders/duckdbCopy"), source, "{scratch}", table],
      },
    ],
    targets: [
      {
        text: "the time of the load, against DuckDB's COPY (at least 0.85 of its throughput)",
        contender: "delta-table, load",
        measure: "time",
        relativeTo: ["DuckDB's COPY to one Parquet file"],
        atMost: 1 / 0.85,
      },
      {
        text: "going on at 90 %, against the whole load",
        contender: "delta-table, the last 10 %, resumed",
        measure: "time",
        relativeTo: ["delta-table, load"],
        atMost: 0.13,
      },
    ],
    readBack: async (scratch) => JSON.parse(await capture(python, [pythonScript("read_load"), `${scratch}/table`])),
  };
}
