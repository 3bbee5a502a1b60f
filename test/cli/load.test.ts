import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { loadProgressText } from "#src/cli/loadProgress.js";
import { Table } from "#src/table.js";
import { BIN, failed, inFolder, objects, ok, run } from "./command.js";

const SCHEMA = ["--schema", "id bigint, name string, v double"];
const isBad = (id: number) => id % 100 === 3;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${from + i},n,${isBad(from + i) ? "x" : "1.5"}\n`).join("");
const HEADER = "id,name,v\n";

describe("load", () => {
  it("loads, goes on with what is new, and says so", async () => {
    await inFolder(async (folder) => {
      const [T, source] = [join(folder, "t"), join(folder, "a.csv")];
      await writeFile(source, HEADER + lines(0, 1000));
      const first = await ok(["load", source, T, ...SCHEMA, "--batch-size", "4kb"]);
      expect(first).toContain("loaded 990 rows (1 file, 9.9 kB");
      expect(first).toContain(`10 records of 1,000 records bad, kept in ${T}/_dead_letters`);
      expect(await ok(["load", source, T])).toContain("nothing new: ");
      await writeFile(source, HEADER + lines(0, 1200));
      const told = objects(await ok(["load", source, T, "--json"]));
      expect(told.map(({ event }) => event)).toEqual(["commit", "done"]);
      expect(told[0]).toMatchObject({ rowsRead: 200, rowsLoaded: 198, rowsDead: 2, isCommitted: true, filesTotal: 1 });
      expect(told[1]).toMatchObject({ rowsLoaded: 198, batches: 1, isUpToDate: false, location: T });
      expect(await Table.open(T).count()).toBe(1188);
    });
  });

  it("takes all its options", async () => {
    await inFolder(async (folder) => {
      const [T, source] = [join(folder, "t"), join(folder, "a.txt")];
      await writeFile(source, Buffer.from("1|'a|b'|31.01.2026|N/A\n2|ü|01.02.2026|7\n3|c|31.01.2026|x\n", "latin1"));
      await ok([
        ...[
          "load",
          source,
          T,
          "--format",
          "csv",
          "--delimiter",
          "|",
          "--quote",
          "'",
          "--no-header",
          "--encoding",
          "latin1",
        ],
        ...["--null", "N/A,-", "--date-format", "%d.%m.%Y", "--schema", "id bigint, name string, day date, n int"],
        ...["--partition-by", "day", "--property", "delta.checkpointInterval=5", "--where", "id < 3", "--job", "j"],
        ...["--dead-letters", join(folder, "dead"), "--max-bad-records", "1", "--max-bad-ratio", "0.5"],
      ]);
      expect(objects(await ok(["read", T])).sort((a, b) => Number(a.id) - Number(b.id))).toEqual([
        { id: 1, name: "a|b", day: "2026-01-31", n: null },
        { id: 2, name: "ü", day: "2026-02-01", n: 7 },
      ]);
      expect(objects(await ok(["dead-letters", T, "--dead-letters", join(folder, "dead")]))).toMatchObject([
        { job: "j", line: 3, code: "TYPE", column: "n" },
      ]);
      expect(await Table.open(T).detail()).toMatchObject({ partitionColumns: ["day"] });
      const { code, data } = await failed(1, ["load", source, T, "--job", "j", "--format", "csv"]);
      expect(code).toBe("DELTA_LOAD_OPTIONS_CHANGED");
      expect((data.changes as { option: string }[]).map(({ option }) => option)).toContain("delimiter");
    });
  });

  it("reads the standard input, once, and what is new of it", async () => {
    await inFolder(async (folder) => {
      const T = join(folder, "t");
      const args = ["load", "-", T, "--format", "csv", "--job", "piped", ...SCHEMA];
      await ok(args, HEADER + lines(0, 3));
      expect(await ok(args, HEADER + lines(0, 3))).toContain("nothing new");
      await ok(args, `${HEADER}${lines(0, 3)}7,n,1\n`);
      expect(objects(await ok(["read", T, "--columns", "id"])).map(({ id }) => id)).toEqual([0, 1, 2, 7]);
      expect(await failed(1, ["load", "-", T, "--format", "csv"], "id\n")).toMatchObject({
        code: "DELTA_INVALID_ARGUMENT",
      });
      expect(await failed(2, ["load", "-", "a.csv", T])).toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    });
  });

  it.each([
    ["no table", ["load", "a.csv"]],
    ["a batch size that is none", ["load", "a.csv", "t", "--batch-size", "2tb"]],
    ["a ratio that is none", ["load", "a.csv", "t", "--max-bad-ratio", "2"]],
    ["two that exclude each other", ["load", "a.csv", "t", "--restart", "--ignore-change"]],
    ["a file without --retry", ["dead-letters", "t", "bad.jsonl"]],
  ])("refuses %s", async (_, args) => {
    expect(await failed(2, args)).toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
  });

  it("finishes the batch in hand at Ctrl-C, says how to go on, and does", async () => {
    await inFolder(async (folder) => {
      const [T, source] = [join(folder, "t"), join(folder, "a.csv")];
      await writeFile(source, HEADER + lines(0, 60_000));
      const args = ["load", source, T, ...SCHEMA, "--batch-size", "10kb"];
      const child = spawn(process.execPath, [BIN, ...args, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
      let stderr = "";
      child.stderr.on("data", (text) => {
        stderr += text;
      });
      let reached = -1;
      for await (const line of createInterface({ input: child.stdout })) {
        const told = JSON.parse(line);
        expect(told.event).toBe("commit");
        if (reached < 0) child.kill("SIGINT");
        reached = told.version;
      }
      if (child.exitCode === null) await once(child, "exit");
      expect(child.exitCode).toBe(130);
      const { error } = JSON.parse(stderr);
      expect(error).toMatchObject({ code: "DELTA_ABORTED", data: { version: reached } });
      expect(await Table.open(T).version()).toBe(reached);
      const { rowsRead } = objects(await ok([...args.slice(0, -2), "--json"])).at(-1)!;
      expect(rowsRead).toBe(60_000 - error.data.rowsRead);
      expect(await Table.open(T).count()).toBe(59_400);
    });
  });

  it("run twice at once loads each record once", async () => {
    await inFolder(async (folder) => {
      const [T, source] = [join(folder, "t"), join(folder, "a.csv")];
      await writeFile(source, HEADER + lines(0, 5000));
      const args = ["load", source, T, ...SCHEMA, "--batch-size", "5kb", "--json"];
      const ended = await Promise.all([run(args), run(args), run(args)]);
      for (const { code, stderr } of ended) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const loaded = ended.map(({ stdout }) => Number(objects(stdout).at(-1)!.rowsRead));
      expect(loaded.reduce((sum, one) => sum + one)).toBe(5000);
      const ids = objects(await ok(["read", T, "--columns", "id"])).map(({ id }) => Number(id));
      expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, id) => id).filter((id) => !isBad(id)));
      expect(await Table.open(join(T, "_dead_letters")).count()).toBe(50);
    });
  });
});

describe("dead-letters", () => {
  it("lists what is bad, and loads it once it is mended", async () => {
    await inFolder(async (folder) => {
      const [T, source] = [join(folder, "t"), join(folder, "a.csv")];
      await writeFile(source, HEADER + lines(0, 300));
      await ok(["load", source, T, ...SCHEMA, "--job", "j"]);
      expect(await ok(["dead-letters", T, "--format", "table", "--limit", "2"])).toContain("first 2 dead letters");
      const listed = await ok(["dead-letters", T]);
      expect(objects(listed)).toMatchObject([
        { id: "j/1/0", line: 5, raw: "3,n,x", file: source, code: "TYPE", column: "v" },
        { id: "j/1/1", raw: "103,n,x" },
        { id: "j/1/2", raw: "203,n,x" },
      ]);
      const bad = join(folder, "bad.jsonl");
      await writeFile(bad, listed.replace("3,n,x", "3,n,7").replace('"203,n,x"', '"203,n,8"'));
      const result = objects(await ok(["dead-letters", T, bad, "--retry", "--json"]))[0];
      expect(result).toMatchObject({ rowsLoaded: 2, rowsDead: 1 });
      expect(await ok(["dead-letters", T, "-", "--retry"], await readFile(bad))).toContain(
        "loaded 0 rows; 1 record still bad",
      );
      expect(objects(await ok(["dead-letters", T])).map(({ id }) => id)).toEqual(["j/1/1"]);
      expect(await ok(["dead-letters", T, "--retry", "--null", "x"])).toContain("loaded 1 row");
      expect(await ok(["dead-letters", T, "--format", "table"])).toBe("0 dead letters\n");
      expect(await failed(1, ["dead-letters", T, "--retry", "-"], "no json")).toMatchObject({
        code: "DELTA_INPUT_UNREADABLE",
      });
      expect(await failed(1, ["dead-letters", T, "--retry", join(folder, "none")])).toMatchObject({
        code: "DELTA_FILE_NOT_FOUND",
      });
    });
  });
});

describe("a load's progress", () => {
  const told = {
    job: "j",
    rowsRead: 1000,
    rowsLoaded: 990,
    rowsDead: 10,
    rowsFiltered: 0,
    filesDone: 0,
    bytesRead: 25_000_000,
    bytesTotal: 100_000_000,
    filesTotal: 1,
    isCommitted: true,
    version: 3,
  };

  it("has a bar, bytes, rows a second, bad records, the time left and the version", () => {
    expect(loadProgressText(told, 2000, false)).toBe(
      "█████░░░░░░░░░░░░░░░  25 %  25.0 MB of 100.0 MB, 1,000 rows (500/s), 10 bad, 6.0 s left, version 3",
    );
  });

  it("says what is known where the end isn't", () => {
    const { bytesTotal: _, version: __, ...rest } = told;
    const text = loadProgressText({ ...rest, rowsDead: 0, bytesTotal: undefined, version: undefined }, 0, true);
    expect(text).toBe("finishing the batch in hand; 25.0 MB, 1,000 rows (0/s)");
  });
});
