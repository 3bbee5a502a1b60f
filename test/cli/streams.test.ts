import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/table.js";
import { BIN, failed, inFolder, ok, run, withoutPackages } from "./command.js";

const rows = (count: number) =>
  Array.from({ length: count }, (_, id) => `{"id":${id},"pad":"${"x".repeat(90)}"}\n`).join("");

describe("standard streams", () => {
  it("end quietly when nobody reads any more", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await ok(["append", T], rows(50_000));
      for (const format of ["jsonl", "csv", "arrow"]) {
        const child = spawn(process.execPath, [BIN, "read", T, "--format", format], {
          stdio: ["ignore", "pipe", "pipe"],
        });
        let stderr = "";
        child.stderr.on("data", (chunk) => {
          stderr += chunk;
        });
        await once(child.stdout, "data");
        child.stdout.destroy();
        const [code, signal] = await once(child, "close");
        expect({ format, code, signal, stderr }).toEqual({ format, code: 0, signal: null, stderr: "" });
      }
    });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s in an append commits nothing, says so, and leaves no file", async (signal, exitCode) => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const child = spawn(process.execPath, [BIN, "append", T], { stdio: ["pipe", "pipe", "pipe"] });
      let stderr = "";
      child.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      // More than a pipe holds: once it is taken, the command is at work.
      const input = rows(50_000);
      await new Promise((resolve) => child.stdin.write(input, resolve));
      child.kill(signal);
      const [code] = await once(child, "close");
      child.stdin.destroy();
      expect({ code, stderr }).toEqual({ code: exitCode, stderr: "interrupted; nothing was committed\n" });
      expect(existsSync(T) ? await readdir(T) : []).toEqual([]);
    });
  });

  it("carry no progress where stderr is no terminal", async () => {
    await inFolder(async (folder) => {
      const { stderr } = await run(["append", join(folder, "t")], rows(50_000));
      expect(stderr).toBe("");
    });
  });

  it("say which package a CSV file needs where it is missing", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "a.csv");
      await writeFile(file, "a\n1\n");
      const node = withoutPackages(/@duckdb\//);
      expect(await failed(1, ["append", join(folder, "t"), file], "", { node })).toMatchObject({
        code: "DELTA_MISSING_DEPENDENCY",
        data: { package: "@duckdb/node-api" },
      });
    });
  });
});

const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

/** Runs a command with a terminal of 60 columns as its output; needs `script` of util-linux. */
describe.skipIf(!hasScript)("a terminal", () => {
  const inTerminal = (args: string[]) => {
    const quoted = [process.execPath, BIN, ...args].map((arg) => `'${arg}'`).join(" ");
    const line = `stty cols 60; ${quoted}`;
    const { stdout, status } = spawnSync("script", ["-qec", line, "/dev/null"], { encoding: "utf8", input: "" });
    return { status, text: stdout.replaceAll("\r\n", "\n") };
  };

  it("shows a table that fits it, with a hint where rows are left out", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const values = Array.from({ length: 101 }, (_, id) => ({ id: BigInt(id), text: `\u001b[2J${"y".repeat(90)}` }));
      await Table.open(T).append(values);
      const { status, text } = inTerminal(["read", T]);
      const lines = text.trimEnd().split("\n");
      expect(status).toBe(0);
      expect(lines).toHaveLength(103);
      expect(Math.max(...lines.slice(0, -1).map((line) => line.length))).toBe(60);
      expect(lines.at(-1)).toContain("first 100 rows; more with --limit");
      expect(text).not.toContain("\u001b");
    });
  });

  it("gets no raw control characters in any text format, and no binary", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      await Table.open(T).append([{ "a\u001b": "\u001b]0;x\u0007\u009b31m" }]);
      for (const format of ["jsonl", "csv", "table"]) {
        const { status, text } = inTerminal(["read", T, "--format", format]);
        expect(status).toBe(0);
        expect(text).toContain("\\u009b31m");
        expect(text).not.toMatch(/[^\P{Cc}\n]/u);
      }
      expect(inTerminal(["read", T, "--format", "arrow"]).status).toBe(2);
    });
  });

  it("shows how far an append has come, and takes it away", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "rows.jsonl");
      await writeFile(file, rows(50_000));
      const { status, text } = inTerminal(["append", join(folder, "t"), file]);
      expect(status).toBe(0);
      const shown = text.split("\r\u001b[K");
      expect(shown.length).toBeGreaterThan(2);
      expect(shown[1]).toMatch(/^[\d,]+ rows, /);
      expect(shown.at(-1)).toMatch(/^appended 50,000 rows /);
    });
  });

  it("asks for rows where they would have to be typed", async () => {
    await inFolder(async (folder) => {
      expect(inTerminal(["append", join(folder, "t")]).status).toBe(2);
    });
  });
});
