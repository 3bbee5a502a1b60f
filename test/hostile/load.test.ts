import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { replaceLimits } from "#src/limits.js";
import { inFolder } from "../cli/command.js";
import { expectCode } from "../expectCode.js";

const MIB = 1024 * 1024;
const CHILD = join(import.meta.dirname, "loadChild.mjs");

interface Outcome {
  readonly code?: string;
  readonly rowsLoaded?: number;
  readonly rowsDead?: number;
  readonly residentMB: number;
}

/** What a load of the file comes to in a process whose heap ends at 256 MB. */
async function loadInChild(folder: string, name: string, bytes: Uint8Array, options: object = {}): Promise<Outcome> {
  const source = join(folder, name);
  await writeFile(source, bytes);
  const args = ["--max-old-space-size=256", CHILD, source, join(folder, `${name}.table`), JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** gzip members of a megabyte each that unpack to a thousand times that are quick to make: each but the last is the same. */
function bomb(head: string, piece: Uint8Array, count: number): Uint8Array {
  const member = gzipSync(piece, { level: 1 });
  return Buffer.concat([gzipSync(head), ...Array.from({ length: count }, () => member)]);
}

describe("bombs are read with bounded memory", () => {
  test.each<[string, string, Uint8Array, number]>([
    ["a CSV value", "a.csv.gz", bomb("a,b\n1,", Buffer.alloc(8 * MIB, "x"), 16), 500],
    ["a CSV header", "b.csv.gz", bomb("", Buffer.alloc(8 * MIB, "x"), 16), 500],
    ["a JSON line", "c.jsonl.gz", bomb('{"a":"', Buffer.alloc(8 * MIB, "x"), 16), 600],
    ["blank lines", "d.jsonl.gz", bomb('{"a":1}\n', Buffer.alloc(8 * MIB, "\n"), 2), 500],
    ["NUL bytes", "e.jsonl", Buffer.alloc(32 * MIB), 500],
  ])("%s of a hundred megabytes and more", async (_, name, bytes, mostMB) => {
    await inFolder(async (folder) => {
      const { residentMB, code, rowsLoaded } = await loadInChild(folder, name, bytes, {
        schema: { a: "string", b: "string" },
      });
      expect(residentMB).toBeLessThan(mostMB);
      expect(
        code === undefined ? (rowsLoaded ?? 0) <= 1 : ["DELTA_INPUT_UNREADABLE", "DELTA_LIMIT_EXCEEDED"].includes(code),
      ).toBe(true);
    });
  });

  test.each(["parquet", "arrow"])("a %s file beyond what is unpacked at once", async (format) => {
    using _ = { [Symbol.dispose]: replaceLimits({ MAX_PARQUET_PART_BYTES: 16 * MIB, MAX_ARROW_BODY_BYTES: 16 * MIB }) };
    await inFolder(async (folder) => {
      const head = format === "parquet" ? "PAR1" : "ARROW1\0\0";
      await writeFile(join(folder, `x.${format}.gz`), bomb(head, Buffer.alloc(8 * MIB), 8));
      const code = format === "parquet" ? "DELTA_LIMIT_EXCEEDED" : "DELTA_INPUT_UNREADABLE";
      await expectCode(code, () => Table.open(join(folder, "t")).load(join(folder, `x.${format}.gz`)));
    });
  });
});

describe("JSON lines", () => {
  const load = async (folder: string, text: string, options = {}) => {
    const source = join(folder, "x.jsonl");
    await writeFile(source, text);
    return Table.open(join(folder, "t")).load(source, options);
  };

  test("that nest very deep, or have very many members, are bad records", async () => {
    await inFolder(async (folder) => {
      const members = Array.from({ length: 200_000 }, (_, i) => `"k${i}":${i}`).join(",");
      const lines = ['{"a":1}', `{"a":${"[".repeat(2e5)}${"]".repeat(2e5)}}`, `{${members}}`, '{"a":2}'];
      const result = await load(folder, lines.join("\n"), { schema: { a: "long" } });
      expect(result).toMatchObject({ rowsLoaded: 2, rowsDead: 2 });
    });
  });

  test("with ever other columns give a table no more of them than it may have", async () => {
    using _ = { [Symbol.dispose]: replaceLimits({ MAX_INFERRED_COLUMNS: 100 }) };
    await inFolder(async (folder) => {
      const text = Array.from({ length: 200 }, (_, i) => `{"k${i}":1}`).join("\n");
      await expectCode("DELTA_LIMIT_EXCEEDED", () => load(folder, text));
      const result = await load(folder, text, { schema: { k7: "long" }, mergeSchema: true });
      expect(result).toMatchObject({ rowsLoaded: 1, rowsDead: 199 });
    });
  });

  test("of few bytes and many columns are built piece by piece", async () => {
    using _ = { [Symbol.dispose]: replaceLimits({ MAX_JSON_CELLS: 1000 }) };
    await inFolder(async (folder) => {
      const schema = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, "long" as const]));
      const result = await load(folder, `${"{}\n".repeat(10)}{"k299":1}\n{"k299":"x"}\n`, { schema });
      expect(result).toMatchObject({ rowsLoaded: 11, rowsDead: 1 });
    });
  });
});

test("CSV with more columns than a file may have", async () => {
  await inFolder(async (folder) => {
    const names = Array.from({ length: 100_000 }, (_, i) => `c${i}`).join(",");
    await writeFile(join(folder, "x.csv"), `${names}\n${names}\n`);
    await expectCode("DELTA_LIMIT_EXCEEDED", () => Table.open(join(folder, "t")).load(join(folder, "x.csv")));
  });
});

describe("zip archives", () => {
  const CONTENT = Buffer.from("a\n1\n");

  /** Stored files; `offsets` say where the directory has them begin. */
  function zip(names: readonly string[], offsets?: readonly number[], claimed = names.length): Buffer {
    const local = names.map((name) => {
      const header = Buffer.alloc(30);
      header.writeUInt32LE(0x04034b50, 0);
      header.writeUInt32LE(crc32(CONTENT), 14);
      header.writeUInt32LE(CONTENT.length, 18);
      header.writeUInt32LE(CONTENT.length, 22);
      header.writeUInt16LE(Buffer.byteLength(name), 26);
      return Buffer.concat([header, Buffer.from(name), CONTENT]);
    });
    let at = 0;
    const directory = names.map((name, index) => {
      const entry = Buffer.alloc(46);
      entry.writeUInt32LE(0x02014b50, 0);
      entry.writeUInt32LE(crc32(CONTENT), 16);
      entry.writeUInt32LE(CONTENT.length, 20);
      entry.writeUInt32LE(CONTENT.length, 24);
      entry.writeUInt16LE(Buffer.byteLength(name), 28);
      // A symbolic link, as Unix has it.
      if (name.startsWith("link")) entry.writeUInt32LE(0o120777 * 65536, 38);
      entry.writeUInt32LE(offsets?.[index] ?? at, 42);
      at += local[index]!.length;
      return Buffer.concat([entry, Buffer.from(name)]);
    });
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(claimed, 8);
    end.writeUInt16LE(claimed, 10);
    const directoryBytes = Buffer.concat(directory);
    end.writeUInt32LE(directoryBytes.length, 12);
    end.writeUInt32LE(at, 16);
    return Buffer.concat([...local, directoryBytes, end]);
  }

  async function load(folder: string, archive: Buffer) {
    const source = join(folder, "x.zip");
    await writeFile(source, archive);
    return Table.open(join(folder, "t")).load(source);
  }

  test("names that lead out of the archive, and links, are names only: nothing is unpacked to a disk", async () => {
    await inFolder(async (folder) => {
      await mkdir(join(folder, "deep"));
      const names = ["../../evil.csv", "/etc/evil.csv", "link.csv", "a\\..\\b.csv", "ok.csv"];
      expect(await load(join(folder, "deep"), zip(names))).toMatchObject({ rowsLoaded: 5, filesDone: 5 });
      const { readdir } = await import("node:fs/promises");
      expect(await readdir(folder)).toEqual(["deep"]);
      expect((await readdir(join(folder, "deep"))).sort()).toEqual(["t", "x.zip"]);
    });
  });

  test("an archive in an archive isn't unpacked", async () => {
    await inFolder(async (folder) => {
      expect(await load(folder, zip(["inner.zip", "a.csv"]))).toMatchObject({ rowsLoaded: 1, filesSkipped: 1 });
    });
  });

  test("files that lie over each other are refused", async () => {
    await inFolder(async (folder) => {
      const size = 30 + 5 + CONTENT.length;
      expect(await load(folder, zip(["a.csv", "b.csv"], [0, size]))).toMatchObject({ rowsLoaded: 2 });
      for (const offsets of [
        [0, 0],
        [0, size - 10],
        [size, size],
      ]) {
        await expectCode("DELTA_INPUT_UNREADABLE", () => load(folder, zip(["a.csv", "b.csv"], offsets)));
      }
    });
  });

  test("a directory that claims more files than it has, or has too many", async () => {
    await inFolder(async (folder) => {
      await expectCode("DELTA_INPUT_UNREADABLE", () => load(folder, zip(["a.csv"], undefined, 2)));
      using _ = { [Symbol.dispose]: replaceLimits({ MAX_ARCHIVE_FILES: 3 }) };
      const names = ["a.csv", "b.csv", "c.csv", "d.csv"];
      await expectCode("DELTA_LIMIT_EXCEEDED", () => load(folder, zip(names)));
      using _bytes = { [Symbol.dispose]: replaceLimits({ MAX_ARCHIVE_FILES: 10, MAX_ARCHIVE_DIRECTORY_BYTES: 100 }) };
      await expectCode("DELTA_LIMIT_EXCEEDED", () => load(folder, zip(names)));
    });
  });
});
