import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { TABLES } from "../golden/tables.js";
import type { Content } from "./canonical.js";
import { here, removeCommitsBefore, sortedById, spark } from "./engines.js";
import { RECIPES } from "./recipes.js";

const request = async (verb: string, args: Record<string, unknown>) => (await spark()).request<Content>(verb, args);
const why =
  process.env.UPDATE_TABLES === "1" ? "" : " (skipped: it makes test/golden/tables anew with UPDATE_TABLES=1)";

describe.skipIf(why !== "")(`Spark's tables${why}`, () => {
  it.each(RECIPES)("$name is the same here at each version, and from a checkpoint alone", async ({ name, steps }) => {
    const scratch = await mkdtemp(join(tmpdir(), "delta-recipes-"));
    try {
      const path = join(scratch, name);
      for (const step of steps) {
        if (step === "checkpoint") await request("checkpoint", { path });
        else await request("sql", { text: step.replaceAll("TABLE", `delta.\`${path}\``) });
      }
      const newest = await Table.open(path).version();
      const versions: Content[] = [];
      for (let version = 0; version <= newest; version++) {
        versions.push(sortedById(await request("read", { path, version })));
        expect(sortedById(await here.read(path, version)), `version ${version}`).toEqual(versions[version]);
      }
      const { findings } = await Table.open(path).verify();
      expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
      await keep(name, path, versions);
      await request("checkpoint", { path });
      await removeCommitsBefore(path, newest);
      expect(sortedById(await here.read(path)), "from a checkpoint alone").toEqual(versions[newest]);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
});

async function keep(name: string, path: string, versions: readonly Content[]): Promise<void> {
  const folder = join(TABLES, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Hadoop's own checksums: nothing reads them.
  const isKept = (file: string) => !/\/\.[^/]*\.crc$/.test(file);
  await cp(path, join(folder, "delta"), { recursive: true, filter: isKept });
  await writeFile(join(folder, "versions.json"), `${JSON.stringify(versions)}\n`);
}
