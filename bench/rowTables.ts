import { pythonScript, script } from "./folders.js";
import { generated } from "./generated.js";
import { capture } from "./process.js";
import type { Setting } from "./workload.js";

/** A table of rows x 6 columns in ten files, ids rising from file to file, and LanceDB's copy of it. */
export interface RowTables {
  readonly rows: number;
  readonly delta: string;
  readonly lance: string;
}

export async function rowTables({ python, node, quick }: Setting): Promise<RowTables> {
  const rows = quick ? 100_000 : 10_000_000;
  await node();
  const scripts = ["make_rows", "rows"].map(pythonScript);
  const delta = await generated(`rows-${rows}`, scripts, async (folder) => {
    await capture(python, [pythonScript("make_rows"), folder, String(rows), "10"]);
  });
  const lance = await generated(`lance-${rows}`, [...scripts, script("contenders/makeLance")], async (folder) => {
    await capture(process.execPath, [script("contenders/makeLance"), delta, folder]);
  });
  return { rows, delta, lance };
}
