import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import type { Content } from "../interop/canonical.js";
import { here, sortedById } from "../interop/engines.js";
import { RECIPES } from "../interop/recipes.js";
import { TABLES } from "./tables.js";

describe("tables that Spark made", () => {
  it.each(RECIPES.map(({ name }) => name))("%s has Spark's types and rows at each version", async (name) => {
    const path = join(TABLES, name, "delta");
    const versions: Content[] = JSON.parse(readFileSync(join(TABLES, name, "versions.json"), "utf8"));
    expect(await Table.open(path).version()).toBe(versions.length - 1);
    for (const [version, content] of versions.entries()) {
      expect(sortedById(await here.read(path, version)), `version ${version}`).toEqual(content);
      expect(await Table.open(path).at(version).count()).toBe(content.rows.length);
    }
  });
});
