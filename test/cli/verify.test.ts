import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/table.js";
import { failed, inFolder, ok, run } from "./command.js";

async function withTable(use: (path: string, files: readonly string[]) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, "t");
    const table = Table.open(path);
    await table.append([{ id: 1 }]);
    await table.append([{ id: 2 }, { id: 3 }]);
    await use(
      path,
      (await table.files()).map((file) => file.path),
    );
  });
}

describe("delta-table verify", () => {
  it("exits with 0 where a table is sound, and says what it checked", async () => {
    await withTable(async (path) => {
      const text = await ok(["verify", path]);
      expect(text).toMatch(/^checked 2 commits, .*2 files .*3 rows.*\n.*version 1: sound\n$/);
      const report = JSON.parse(await ok(["verify", path, "--json"]));
      expect(report).toMatchObject({ version: 1, ok: true, findings: [], checked: { commits: 2, files: 2, rows: 3 } });
    });
  });

  it("exits with 1 where something is wrong, told on stdout", async () => {
    await withTable(async (path, [first]) => {
      await rm(join(path, first!));
      const text = await run(["verify", path, "--quick"]);
      expect(text).toMatchObject({ code: 1, stderr: "" });
      expect(text.stdout).toMatch(/^error: file-missing\n {2}.*\n {2}-> .*\n\n(?:.*\n)*.*version 1: 1 error\n$/);
      const json = await run(["verify", path, "--json"]);
      expect(json).toMatchObject({ code: 1, stderr: "" });
      expect(JSON.parse(json.stdout)).toMatchObject({
        ok: false,
        counts: { "file-missing": 1 },
        findings: [{ code: "file-missing", severity: "error", version: 1, path: first }],
      });
      expect((await run(["verify", path, "--log-only"])).code).toBe(0);
    });
  });

  it("looks at the version asked for", async () => {
    await withTable(async (path) => {
      expect(await ok(["verify", path, "--version", "0"])).toContain("version 0: sound");
      expect((await failed(1, ["verify", path, "--version", "9"])).code).toBe("DELTA_VERSION_NOT_FOUND");
      expect((await failed(1, ["verify", join(path, "none")])).code).toBe("DELTA_TABLE_NOT_FOUND");
    });
  });

  it("lets no control characters of a path through", async () => {
    await withTable(async (path) => {
      await Table.open(path).append([{ id: 4 }]);
      const { path: name } = (await Table.open(path).files()).at(-1)!;
      await rm(join(path, name));
      const log = join(path, "_delta_log", "00000000000000000002.json");
      await writeFile(log, (await readFile(log, "utf8")).replaceAll(name, "%1B[31m.parquet"));
      const { stdout } = await run(["verify", path]);
      expect(stdout).toContain("\\u001b[31m.parquet");
      expect(stdout).not.toContain("\u001b");
    });
  });

  it.each([[["--quick", "--log-only"]], [["--version", "x"]], [["extra"]]])("exits with 2 at %j", async (args) => {
    expect((await run(["verify", "T", ...args])).code).toBe(2);
  });

  it("helps with examples and the exit codes", async () => {
    const help = await ok(["verify", "--help"]);
    expect(help).toContain("--quick");
    expect(help).toContain("Exit codes: 0 sound");
  });
});
