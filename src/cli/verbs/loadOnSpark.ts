import type { LoadOptions } from "../../load/loadOptions.js";
import { DeltaLog } from "../../log/deltaLog.js";
import { openStore } from "../../storage/open.js";
import type { Given, OptionRow, Session } from "../command.js";
import { countOf, escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";

/** The options of a load on Spark. */
export const SPARK_OPTIONS: readonly OptionRow[] = [
  { name: "engine", kind: "text", choices: ["here", "spark"], summary: "what loads; default: this process" },
  { name: "spark-submit", kind: "text", value: "PATH", summary: "the program that runs jobs on Spark" },
  { name: "spark-conf", kind: "pairs", value: "KEY=VALUE", summary: "for Spark; may be given again" },
  { name: "write-job", kind: "text", value: "FOLDER", summary: "only write the job for Spark, and say how to run it" },
];

/** True where Spark is to load. Throws for options that are for Spark without it. */
export function isOnSpark(given: Given): boolean {
  if (given.text("engine") === "spark") return true;
  const stray = ["spark-submit", "spark-conf", "write-job"].find((name) => given.has(name));
  if (stray === undefined) return false;
  throw new UsageError(`--${stray} is for a load on Spark`, "Give --engine spark as well, or leave it out.");
}

/** Loads on Spark, or writes the job for it. */
export async function loadOnSpark(session: Session, given: Given, options: LoadOptions): Promise<void> {
  const { table, stdout, json, signal } = session;
  const store = openStore(table.url, options.storage ?? {});
  await using _ = store;
  // Loaded when asked for: the help of every command knows of this one.
  const { sparkConfig } = await import("../../load/spark/sparkConfig.js");
  const { runOnSpark, writeSparkJob } = await import("../../load/spark/sparkJob.js");
  const config = await sparkConfig(new DeltaLog(store), given.operands, options as LoadOptions<object>);
  const folder = given.text("write-job");
  if (folder !== undefined) {
    const args = await writeSparkJob(folder, config);
    const command = ["spark-submit", ...args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`)].join(" ");
    await stdout.line(
      json ? jsonText({ event: "written", folder, arguments: args }) : `written; run it with: ${command}`,
    );
    return;
  }
  let written: Promise<void> = Promise.resolve();
  const onCommit = (told: Readonly<Record<string, unknown>>) => {
    if (json) written = written.then(() => stdout.line(jsonText(told)));
    written.catch(() => undefined);
  };
  const program = given.text("spark-submit");
  const result = await runOnSpark(config, { program, conf: given.pairs("spark-conf"), signal, onCommit });
  await written;
  const { rowsLoaded, rowsDead, version, batches, isUpToDate, job } = result;
  const where = `${escapeControls(table.url)}, version ${version}; job ${escapeControls(job)}`;
  const text = isUpToDate
    ? `nothing new in ${where}`
    : `loaded ${countOf(rowsLoaded, "row")} on Spark, ${countOf(rowsDead, "record")} bad, ${countOf(batches, "commit")}, to ${where}`;
  await stdout.line(json ? jsonText({ event: "done", location: table.url, ...result }) : text);
}
