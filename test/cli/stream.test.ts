import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { ids, rows, upTo } from "../stream/streams.js";
import { BIN, failed, ok } from "./command.js";

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-cli-stream-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("delta-table stream", () => {
  it("adds what is new in a table, each row once", async () => {
    await Table.open(at("source")).append(rows(0, 3));
    const args = ["stream", at("source"), at("target"), "--checkpoint", at("checkpoint")];
    expect(await ok(args)).toBe(`added 3 rows in 1 batch to ${at("target")}, version 0\n`);
    expect(await ok(args)).toBe(`nothing new for ${at("target")}\n`);
    await Table.open(at("source")).append(rows(3, 4));
    await Table.open(at("source")).append(rows(4, 5));
    expect(JSON.parse(await ok([...args, "--json", "--max-files", "1"]))).toMatchObject({
      location: at("target"),
      batchCount: 2,
      rowCount: 2,
      version: 2,
      isStopped: false,
    });
    expect(await ids(Table.open(at("target")))).toEqual(upTo(5));
  });

  it("adds the files of a folder whose schema is given", async () => {
    await mkdir(at("inbox"));
    await writeFile(at("inbox/a.csv"), "id,text\n0,x\n1,y\n");
    const args = [
      "stream",
      at("inbox"),
      at("target"),
      "--checkpoint",
      at("checkpoint"),
      "--schema",
      "id bigint, text string",
    ];
    await ok(args);
    await writeFile(at("inbox/b.csv"), "id,text\n2,z\n");
    expect(await ok([...args, "--once"])).toBe(`added 1 row in 1 batch to ${at("target")}, version 1\n`);
    expect(await ids(Table.open(at("target")))).toEqual(upTo(3));
  });

  it("goes on until it is interrupted, and says how it ended", async () => {
    await Table.open(at("source")).append(rows(0, 3));
    const args = ["stream", at("source"), at("target"), "--checkpoint", at("checkpoint"), "--every", "0"];
    const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    const closed = once(child, "close");
    while (
      (await Table.open(at("target"))
        .count()
        .catch(() => 0)) < 3
    )
      await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGINT");
    const [code] = await closed;
    expect([code, stdout]).toEqual([
      0,
      `stopped; the same command goes on: added 3 rows in 1 batch to ${at("target")}, version 0\n`,
    ]);
  });

  it("says what is missing or wrong", async () => {
    expect(await failed(2, ["stream", at("source")])).toMatchObject({ kind: "fix-input" });
    expect(await failed(2, ["stream", at("source"), at("target")])).toMatchObject({ kind: "fix-input" });
    const args = ["stream", at("source"), at("target"), "--checkpoint", at("checkpoint")];
    expect(await failed(2, [...args, "--starting-version", "x"])).toMatchObject({ kind: "fix-input" });
    expect(await failed(1, args)).toMatchObject({ code: "DELTA_TABLE_NOT_FOUND" });
  });
});
