import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { failed, inFolder, objects, ok, run } from "../cli/command.js";
import { add, PROTOCOL } from "./tables.js";

/** Clears a terminal, rings, obeys in 8 bits, turns text around, breaks lines. */
const EVIL = "\u001b[2J\u0007\u009b31m\u202eevil\u2066\r\nerror: a line of its own\u2028\u007f";
/** A line feed is what ends a line. */
const STEERING = /(?!\n)[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/** A table of which every text is {@link EVIL}. */
async function evilTable(folder: string): Promise<string> {
  const at = join(folder, "table");
  const schema = {
    type: "struct",
    fields: [
      { name: "id", type: "long", nullable: true, metadata: { comment: EVIL } },
      { name: `a${EVIL}`, type: "string", nullable: true, metadata: {} },
      {
        name: "s",
        type: {
          type: "array",
          elementType: { type: "struct", fields: [{ name: EVIL, type: "long", nullable: true, metadata: {} }] },
          containsNull: true,
        },
        nullable: true,
        metadata: {},
      },
    ],
  };
  const commitInfo = {
    timestamp: 1,
    operation: EVIL,
    operationParameters: { [EVIL]: EVIL },
    operationMetrics: { numOutputRows: EVIL },
    userMetadata: EVIL,
    engineInfo: EVIL,
  };
  const metaData = {
    id: EVIL,
    name: EVIL,
    description: EVIL,
    format: { provider: "parquet", options: {} },
    schemaString: JSON.stringify(schema),
    partitionColumns: [],
    configuration: { [EVIL]: EVIL },
  };
  const lines = [
    JSON.stringify({ commitInfo }),
    PROTOCOL,
    JSON.stringify({ metaData }),
    add({ path: `f${EVIL}.parquet`, size: 12 }),
  ];
  await mkdir(join(at, "_delta_log"), { recursive: true });
  await writeFile(join(at, "_delta_log", "00000000000000000000.json"), `${lines.join("\n")}\n`);
  return at;
}

describe("what steers a terminal, in names, notes, paths and errors", () => {
  test.each([
    ["schema"],
    ["schema", "--json"],
    ["history"],
    ["history", "--json"],
    ["detail"],
    ["detail", "--json"],
    ["files"],
    ["files", "--json"],
    ["read"],
    ["read", "--json"],
    ["read", "--format", "table"],
    ["read", "--columns", EVIL],
    ["read", "--where", "zz = 1"],
    ["read", "--where", `"${EVIL}" = 1`],
    ["verify"],
    ["verify", "--json"],
    ["append", "-"],
    [EVIL],
    ["read", EVIL],
    ["read", "--option", EVIL],
  ])("%j: nothing of it comes out, nor a line of its own", async (command, ...options) => {
    await inFolder(async (folder) => {
      const { stdout, stderr } = await run([command, await evilTable(folder), ...options], '{"x":1}\n');
      expect(stdout + stderr).not.toMatch(STEERING);
      expect(stdout).not.toMatch(/^error: a line/m);
      expect(stderr).not.toMatch(/^error: a line/m);
      expect((stdout + stderr).length).toBeGreaterThan(0);
    });
  });

  test("in JSON means the same to a program", async () => {
    await inFolder(async (folder) => {
      const at = await evilTable(folder);
      expect(JSON.parse(await ok(["detail", at, "--json"]))).toMatchObject({
        name: EVIL,
        properties: { [EVIL]: EVIL },
      });
      expect(JSON.parse(await ok(["history", at, "--json"]))[0]).toMatchObject({ operation: EVIL, userMetadata: EVIL });
      expect(objects(await ok(["files", at, "--json"]))[0]).toMatchObject({ path: `f${EVIL}.parquet` });
      expect(JSON.parse(await ok(["schema", at, "--json"])).fields[1].name).toBe(`a${EVIL}`);
    });
  });

  test("in values: shown as escapes in a table, exact in jsonl and csv", async () => {
    await inFolder(async (folder) => {
      const at = join(folder, "t");
      await Table.open(at).append([{ s: EVIL }]);
      expect(await ok(["read", at, "--format", "table"])).not.toMatch(STEERING);
      expect(objects(await ok(["read", at]))).toEqual([{ s: EVIL }]);
      expect(await ok(["read", at, "--format", "csv"])).toBe(`s\n"${EVIL}"\n`);
    });
  });
});

describe("JSON rows made to hurt", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

  test.each([
    ["nested 100,000 deep", `{"x":${nested(100_000)}}\n`],
    ["nested 100,000 deep beside a long number", `{"n":12345678901234567890,"x":${nested(100_000)}}\n`],
    ["nested 500 deep", `{"x":${nested(500)}}\n`],
    ["half a line", '{"x":'],
    ["not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d, 10)],
    ["NUL bytes", new Uint8Array(1000)],
    ["an array", "[1]\n"],
    ["what stands for numbers inside", '{"x":{"\\ufdd0":"1e5"},"n":12345678901234567890}\n'],
  ])("%s: an error, with and without a table", async (_, input) => {
    await inFolder(async (folder) => {
      const { code } = await failed(1, ["append", join(folder, "new"), "-"], input);
      expect(["DELTA_INPUT_UNREADABLE", "DELTA_CANNOT_INFER_SCHEMA"]).toContain(code);
      const at = join(folder, "old");
      await Table.open(at).append([{ x: "a", n: 1n }]);
      const known = await failed(1, ["append", at, "-"], input);
      expect(["DELTA_INPUT_UNREADABLE", "DELTA_VALUE_OUT_OF_RANGE", "DELTA_SCHEMA_MISMATCH"]).toContain(known.code);
      expect(await Table.open(at).count()).toBe(1);
    });
  });

  test("a line without end is refused, not gathered", async () => {
    await inFolder(async (folder) => {
      const { code, data } = await failed(1, ["append", join(folder, "t"), "-"], Buffer.alloc(140 * 2 ** 20, 0x20));
      expect({ code, line: data.line }).toEqual({ code: "DELTA_INPUT_UNREADABLE", line: 1 });
    });
  });

  test("a column __proto__ is a column", async () => {
    await inFolder(async (folder) => {
      const at = join(folder, "t");
      await ok(
        ["append", at, "-"],
        '{"__proto__":{"constructor":"a"},"toString":1,"n":12345678901234567890123}\n'.replace(
          ',"n":12345678901234567890123',
          "",
        ),
      );
      expect(await ok(["read", at])).toBe('{"__proto__":{"constructor":"a"},"toString":1}\n');
    });
  });

  test("numbers of a million digits are refused at once", async () => {
    await inFolder(async (folder) => {
      const at = join(folder, "t");
      await ok(["create", at, "--schema", "a bigint, b decimal(38,0), c double"]);
      for (const column of ["a", "b", "c"]) {
        const told = await failed(1, ["append", at, "-"], `{"${column}":${"9".repeat(1_000_000)}}\n`);
        expect(told.code).toBe("DELTA_VALUE_OUT_OF_RANGE");
      }
    });
  });
});

test("a compressed file isn't unpacked: its format has to be named", async () => {
  await inFolder(async (folder) => {
    for (const name of ["x.csv.gz", "x.jsonl.gz", "x.zip"]) {
      await writeFile(join(folder, name), "");
      const { code } = await run(["append", join(folder, "t"), join(folder, name)]);
      expect(code).toBe(2);
    }
  });
});
