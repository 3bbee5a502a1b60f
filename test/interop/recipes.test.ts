import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { parseLogPath } from "#src/log/names.js";
import { isLong } from "../form.js";
import { TABLES } from "../golden/tables.js";
import type { Content } from "./canonical.js";
import { here, sortedById, spark } from "./engines.js";
import { RECIPES, UNMADE } from "./recipes.js";

const request = async <T>(verb: string, args: Record<string, unknown> = {}) => (await spark()).request<T>(verb, args);
/** `UPDATE_TABLES=1` makes test/golden/tables anew, or those whose names `-t` has. */
const keepsTables = process.env.UPDATE_TABLES === "1";

/** A log's files that make up the same table, from some version on. */
interface Form {
  readonly title: string;
  /** The first version that it leads to. */
  readonly first: (versions: { readonly middle: number; readonly newest: number }) => number;
  readonly hasCheckpoints: boolean;
}

const FORMS: readonly Form[] = [
  { title: "with all that its log has", first: () => 0, hasCheckpoints: true },
  { title: "without checkpoints", first: () => 0, hasCheckpoints: false },
  { title: "from a checkpoint in the middle of its history on", first: ({ middle }) => middle, hasCheckpoints: true },
  { title: "from a checkpoint of its newest version alone", first: ({ newest }) => newest, hasCheckpoints: true },
];

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "delta-recipes-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(RECIPES)("a table of Spark's: $name", ({ name, steps, features }) => {
  let path: string;
  /** What Spark reads of the versions that are compared. */
  const contents = new Map<number, Content>();
  let [middle, newest] = [0, 0];

  beforeAll(async () => {
    path = join(scratch, name);
    for (const step of steps) {
      if (typeof step !== "string") await request("create", { path, ...step });
      else if (step === "checkpoint") await request("checkpoint", { path });
      else await request("sql", { text: step.replaceAll("TABLE", `delta.\`${path}\``) });
    }
    newest = await request<number>("version", { path });
    middle = Math.max(...(await checkpointsOf(path)));
    // The tables that are kept are compared at every version where no Spark is needed (test/golden).
    const isCompared = (version: number) => isLong || keepsTables || version === middle || version === newest;
    for (let version = 0; version <= newest; version++) {
      if (isCompared(version)) contents.set(version, sortedById(await request("read", { path, version })));
    }
    if (keepsTables) await keep(name, path, [...contents.values()]);
    expect(middle).toBeGreaterThan(0);
    expect(middle).toBeLessThan(newest);
    await request("checkpoint", { path });
  });

  it.each(FORMS)("is read here as there, $title", async ({ first: firstOf, hasCheckpoints }) => {
    const first = firstOf({ middle, newest });
    const form = join(scratch, "form");
    await rm(form, { recursive: true, force: true });
    await cp(path, form, { recursive: true, filter: (file) => isKept(file, first, hasCheckpoints) });
    expect(await checkpointsOf(form)).toEqual(
      hasCheckpoints ? (await checkpointsOf(path)).filter((version) => version >= first) : [],
    );
    for (const [version, content] of contents) {
      if (version < first) continue;
      expect(sortedById(await here.read(form, version)), `version ${version}`).toEqual(content);
      expect(await Table.open(form).at(version).count()).toBe(content.rows.length);
    }
    const { findings } = await Table.open(form).verify();
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("asks for what it asks for there, and uses what it is about", async () => {
    const { minReaderVersion, minWriterVersion, features: listed } = await Table.open(path).protocol();
    const [detail] = await request<Record<string, unknown>[]>("sql", { text: `describe detail delta.\`${path}\`` });
    expect([minReaderVersion, minWriterVersion, listed.map((feature) => feature.name).sort()]).toEqual([
      detail!.minReaderVersion,
      detail!.minWriterVersion,
      [...(detail!.tableFeatures as string[])].sort(),
    ]);
    const active = new Set<string>();
    for (let version = 0; version <= newest; version++) {
      const told = await Table.open(path).at(version).protocol();
      for (const feature of told.features) if (feature.isActive) active.add(feature.name);
    }
    expect([...active]).toEqual(expect.arrayContaining([...features]));
  });
});

it("each feature that Spark knows has such a table", async () => {
  const known = await request<string[]>("features");
  const made = RECIPES.flatMap(({ features }) => features);
  expect([...new Set([...made, ...Object.keys(UNMADE)])].map((name) => name.toLowerCase()).sort()).toEqual(
    known.sort(),
  );
  expect(made.filter((name) => name in UNMADE)).toEqual([]);
});

function isKept(file: string, first: number, hasCheckpoints: boolean): boolean {
  if (basename(dirname(file)) !== "_delta_log") return true;
  const log = parseLogPath(`_delta_log/${basename(file)}`);
  if (log === undefined) return hasCheckpoints || basename(file) !== "_last_checkpoint";
  return log.version >= first && (hasCheckpoints || log.kind === "commit");
}

async function checkpointsOf(path: string): Promise<number[]> {
  const names = await readdir(join(path, "_delta_log"));
  const found = names.flatMap((name) => parseLogPath(`_delta_log/${name}`) ?? []);
  const versions = found.flatMap(({ kind, version }) => (/checkpoint/i.test(kind) ? [version] : []));
  return [...new Set(versions)].sort((a, b) => a - b);
}

/** Makes the table one of those that the tests have without Spark. */
async function keep(name: string, path: string, versions: readonly Content[]): Promise<void> {
  const folder = join(TABLES, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Hadoop's own checksums: nothing reads them.
  const isKept = (file: string) => !/\/\.[^/]*\.crc$/.test(file);
  await cp(path, join(folder, "delta"), { recursive: true, filter: isKept });
  await writeFile(join(folder, "versions.json"), `${JSON.stringify(versions)}\n`);
}
