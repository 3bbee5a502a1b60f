import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { TABLES } from "../golden/tables.js";
import type { Content } from "./canonical.js";
import { here, removeCommitsBefore, sortedById, spark } from "./engines.js";
import { RECIPES } from "./recipes.js";

// UPDATE_TABLES=1 keeps the tables in test/golden/tables, for the tests that need no Spark.
const isUpdate = process.env.UPDATE_TABLES === "1";
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "delta-recipes-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const request = async (verb: string, args: Record<string, unknown>) => (await spark()).request<Content>(verb, args);

describe.each(RECIPES)("Spark's table $name", ({ name, steps }) => {
  it.each(["without a checkpoint", "with one in between"] as const)(
    "%s is the same here at each version",
    async (how) => {
      const path = join(scratch, `${name} ${how}`);
      for (const step of steps) {
        if (step !== "checkpoint") await request("sql", { text: step.replaceAll("TABLE", `delta.\`${path}\``) });
        else if (how === "with one in between") await request("checkpoint", { path });
      }
      const newest = await Table.open(path).version();
      const versions: Content[] = [];
      for (let version = 0; version <= newest; version++) {
        versions.push(sortedById(await request("read", { path, version })));
        expect(sortedById(await here.read(path, version)), `version ${version}`).toEqual(versions[version]);
      }
      const { findings } = await Table.open(path).verify();
      expect(findings).toEqual([]);
      if (isUpdate && how === "with one in between") await keep(name, path, versions);
      await request("checkpoint", { path });
      await removeCommitsBefore(path, newest);
      expect(sortedById(await here.read(path)), "from a checkpoint alone").toEqual(versions[newest]);
    },
  );
});

async function keep(name: string, path: string, versions: readonly Content[]): Promise<void> {
  const folder = join(TABLES, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Hadoop's own checksums: nothing reads them.
  const isKept = (file: string) => !/\/\.[^/]*\.crc$/.test(file);
  await cp(path, join(folder, "delta"), { recursive: true, filter: isKept });
  await writeFile(join(folder, "versions.json"), `${JSON.stringify(versions, null, 1)}\n`);
}
