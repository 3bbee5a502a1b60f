import { pythonScript, script } from "../folders.js";
import { rowTables } from "../rowTables.js";
import type { Setting, Workload } from "../workload.js";

/** All rows and columns as Arrow. */
export const scanAll = (setting: Setting): Promise<Workload> =>
  scan(setting, "all", "read all to Arrow", "polars", 1.0);

/** The sum of a column, by SQL where there is some. */
export const scanSum = (setting: Setting): Promise<Workload> => scan(setting, "sum", "sum a column", "delta-rs", 1.0);

/** The rows of half a file, as Arrow. */
export const scanFilter = (setting: Setting): Promise<Workload> =>
  scan(setting, "filter", "read the rows above an id, all in the last of ten files", "delta-rs", 1.5);

/** One column as Arrow. */
export const scanColumn = (setting: Setting): Promise<Workload> =>
  scan(setting, "column", "read one column of six to Arrow", "delta-rs", 1.5);

async function scan(setting: Setting, what: string, title: string, rival: string, atMost: number): Promise<Workload> {
  const { rows, delta, lance } = await rowTables(setting);
  const args = [what, String(rows)];
  const name = `scan-${what}`;
  const target = (relativeTo: string, most: number) => ({
    text: `the time, against ${relativeTo}`,
    contender: "delta-table",
    measure: "time" as const,
    relativeTo: [relativeTo],
    atMost: most,
  });
  return {
    name,
    title: `${title}: ${rows} rows x 6 columns in ten files, in a warm process that opens the table anew`,
    units: 1,
    unit: "run",
    contenders: [
      {
        name: "delta-table",
        peer: "delta-table",
        command: [process.execPath, script("contenders/scan"), delta, ...args],
      },
      {
        name: "delta-rs",
        peer: "delta-rs",
        command: [setting.python, pythonScript("scan"), "delta-rs", delta, ...args],
      },
      { name: "polars", peer: "polars", command: [setting.python, pythonScript("scan"), "polars", delta, ...args] },
      { name: "lancedb", peer: "lancedb", command: [process.execPath, script("contenders/lanceScan"), lance, ...args] },
      // What icebird decodes with; that one reads Iceberg tables, by HTTP alone.
      {
        name: "hyparquet, arrays of values",
        peer: "hyparquet",
        command: [process.execPath, script("contenders/hyparquetScan"), delta, ...args],
      },
    ],
    targets: [target(rival, atMost), target("lancedb", 1.0)],
  };
}
