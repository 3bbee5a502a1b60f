import { describe, expect, it } from "vitest";
import { inFolder, ok, run } from "./command.js";

describe("delta-table alter", () => {
  it("changes columns, properties, features and descriptions", async () => {
    await inFolder(async (folder) => {
      const table = `${folder}/table`;
      const alter = (...args: string[]) => ok(["alter", table, ...args]);
      await ok(["create", table, "--schema", "id int, s struct<a:int>", "--property", "delta.enableTypeWidening=true"]);
      await alter("add-columns", "x double, `odd.name` string", "--first");
      await alter("add-columns", "z string", "--in", "s", "--comment", "of s");
      await alter("set-properties", "delta.columnMapping.mode=name", "owner=a=b");
      await alter("rename-column", "s.z", "inner");
      await alter("change-column", "id", "--type", "bigint", "--comment", "key", "--after", "s");
      await alter("drop-columns", "x", "`odd.name`");
      await alter("describe", "--name", "orders", "--description", "one row an order");
      await alter("unset-properties", "owner");
      await alter("unset-properties", "owner", "--if-exists");
      await alter("add-feature", "vacuumProtocolCheck");
      await alter("drop-feature", "vacuumProtocolCheck", "--truncate-history", "--user-metadata", "a note");
      await alter("upgrade-protocol", "3", "7");
      expect(await ok(["schema", table])).toBe(
        "s   struct<\n  a      int,\n  inner  string COMMENT 'of s'\n>,\nid  bigint COMMENT 'key'\n",
      );
      const detail = JSON.parse(await ok(["detail", table, "--json"]));
      expect(detail).toMatchObject({ name: "orders", description: "one row an order" });
      expect(detail.tableFeatures).toEqual(["columnMapping", "typeWidening"]);
      expect(JSON.parse(await alter("describe", "--name", "o", "--json"))).toEqual({ location: table, version: 12 });
    });
  });

  it("sets a default and takes it away", async () => {
    await inFolder(async (folder) => {
      const table = `${folder}/table`;
      const alter = (...args: string[]) => ok(["alter", table, ...args]);
      await ok([
        "create",
        table,
        "--schema",
        "id int, n int",
        "--property",
        "delta.feature.allowColumnDefaults=supported",
      ]);
      await alter("change-column", "n", "--default", "7");
      const schema = await ok(["schema", table, "--json"]);
      expect(schema).toContain("CURRENT_DEFAULT");
      await alter("change-column", "n", "--default", "");
      expect(await ok(["schema", table, "--json"])).not.toContain("CURRENT_DEFAULT");
      expect((await run(["alter", table, "sync-identity", "id", "--json"])).stderr).toContain(
        "DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN",
      );
    });
  });

  it.each([
    ["no verb", []],
    ["an unknown verb", ["renam-column", "a", "b"]],
    ["too few arguments", ["rename-column", "a"]],
    ["too many", ["rename-column", "a", "b", "c"]],
    ["no property", ["set-properties", "delta.appendOnly"]],
    ["no type", ["change-column", "a", "--type", "bigger"]],
    ["one version number", ["upgrade-protocol", "3"]],
    ["two places", ["change-column", "a", "--first", "--after", "b"]],
  ])("exits with 2 at %s", async (_, args) => {
    expect((await run(["alter", "T", ...args])).code).toBe(2);
  });

  it("exits with 1 where the table refuses", async () => {
    await inFolder(async (folder) => {
      const table = `${folder}/table`;
      await ok(["create", table, "--schema", "id int"]);
      const { code, stderr } = await run(["alter", table, "rename-column", "id", "key", "--json"]);
      expect(code).toBe(1);
      expect(stderr).toContain("DELTA_UNSUPPORTED_RENAME_COLUMN");
    });
  });
});
