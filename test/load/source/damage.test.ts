import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import type { DeltaError } from "#src/errors.js";
import { openBytes } from "#src/load/source/bytes.js";
import { bytesOf, listAll, oneFile, readFrom, readUntilError, temporaryFolder, writeFiles } from "./files.js";
import { skippableFrame, zipOf, zstdFrameOf } from "./pack.js";

const folder = await temporaryFolder();
const LINES = Array.from({ length: 20_000 }, (_, line) => `${line},${(line * 7919) % 1000},"text ${line}"\n`);
const TEXT = Buffer.from(LINES.join(""));
const UNREADABLE = { code: "DELTA_INPUT_UNREADABLE" };

const toolsMissing = ["gzip", "zstd", "zip"].filter((tool) => !hasTool(tool));

/** Reads a file of these bytes up to its error. */
async function read(name: string, bytes: Uint8Array) {
  await writeFiles(folder, { [name]: bytes });
  return readUntilError(await oneFile(path.join(folder, name)));
}

describe("gzip", () => {
  it("that was cut off gives what it has, and then says so, wherever the cut is", async () => {
    const packed = gzipSync(TEXT);
    for (const length of [2, 9, 10, 11, packed.length >> 1, packed.length - 9, packed.length - 8, packed.length - 1]) {
      const { before, error } = await read("cut.csv.gz", packed.subarray(0, length));
      expect(error).toMatchObject(UNREADABLE);
      if (length > 10 && length < packed.length - 8) expect(error).toMatchObject({ data: { offset: length } });
      expect(before.equals(TEXT.subarray(0, before.length))).toBe(true);
      if (length >= packed.length - 8) expect(before).toHaveLength(TEXT.length);
      if (length === packed.length >> 1) expect(before.length).toBeGreaterThan(TEXT.length / 3);
    }
  });

  it("that was damaged is never taken for whole", async () => {
    const packed = gzipSync(TEXT);
    for (let at = 20; at < packed.length; at += Math.floor(packed.length / 40)) {
      const damaged = Buffer.from(packed);
      damaged[at]! ^= 0x10;
      const { error } = await read("damaged.csv.gz", damaged);
      expect(error).toMatchObject(UNREADABLE);
    }
    for (const fromEnd of [1, 5]) {
      const damaged = Buffer.from(packed);
      damaged[packed.length - fromEnd]! ^= 1;
      const { before, error } = await read("damaged.csv.gz", damaged);
      expect(before.equals(TEXT)).toBe(true);
      expect(error).toMatchObject(UNREADABLE);
    }
  });

  it("may have zeros behind it, and nothing else", async () => {
    const packed = gzipSync("a\n");
    expect(await read("padded.csv.gz", Buffer.concat([packed, Buffer.alloc(3000)]))).toMatchObject({
      before: Buffer.from("a\n"),
      error: undefined,
    });
    for (const garbage of ["garbage", "\x1f", "\x1f\x8b", "\0\0x"]) {
      const { before, error } = await read("garbage.csv.gz", Buffer.concat([packed, Buffer.from(garbage, "latin1")]));
      expect(String(before)).toBe("a\n");
      expect(error).toMatchObject(UNREADABLE);
    }
  });

  it("may have a header with everything in it, and members of nothing", async () => {
    const plain = gzipSync("text\n");
    const header = Buffer.from(plain.subarray(0, 10));
    header[3] = 2 | 4 | 8 | 16;
    const fields = Buffer.concat([Buffer.from([3, 0, 1, 2, 3]), Buffer.from("name\0comment\0"), Buffer.from([0, 0])]);
    const full = Buffer.concat([header, fields, plain.subarray(10)]);
    const { before, error } = await read(
      "full.csv.gz",
      Buffer.concat([gzipSync(""), full, gzipSync(""), gzipSync("")]),
    );
    expect(error).toBeUndefined();
    expect(String(before)).toBe("text\n");
    expect((await read("endless.csv.gz", full.subarray(0, 20))).error).toMatchObject(UNREADABLE);
    const reserved = Buffer.from(plain);
    reserved[3] = 0x40;
    expect((await read("reserved.csv.gz", reserved)).error).toMatchObject(UNREADABLE);
  });

  it("that unpacks to a thousand times its size takes little memory", async () => {
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024, "0"));
    await writeFiles(folder, { "bomb.csv.gz": Buffer.concat(Array.from({ length: 4 }, () => bomb)) });
    await using reader = await openBytes(await oneFile(path.join(folder, "bomb.csv.gz")), undefined);
    let count = 0;
    let largest = 0;
    for (let part = await reader.read(); part !== undefined; part = await reader.read()) {
      count += part.length;
      largest = Math.max(largest, part.length);
    }
    expect(count).toBe(128 * 1024 * 1024);
    expect(largest).toBeLessThanOrEqual(1024 * 1024);
  });
});

describe("zstd", () => {
  it("that was cut off gives what it has, and then says so", async () => {
    const packed = Buffer.concat([zstdFrameOf(TEXT.subarray(0, 1000)), zstdFrameOf(TEXT.subarray(1000, 2000))]);
    for (const length of [4, 5, 6, 8, 500, (packed.length >> 1) + 7, packed.length - 1]) {
      const { before, error } = await read("cut.csv.zst", packed.subarray(0, length));
      expect(error).toMatchObject(UNREADABLE);
      expect(before.equals(TEXT.subarray(0, before.length))).toBe(true);
      if (length === packed.length - 1) expect(before).toHaveLength(1900);
    }
  });

  it("passes frames over that hold something else, and refuses what it can't decode", async () => {
    const note = skippableFrame(Buffer.alloc(5000, "note"));
    const frame = zstdFrameOf(Buffer.from("a\n"));
    const { before, error } = await read("notes.csv.zst", Buffer.concat([note, frame, note, frame, note]));
    expect(error).toBeUndefined();
    expect(String(before)).toBe("a\na\n");
    expect((await read("note.csv.zst", note.subarray(0, 100))).error).toMatchObject(UNREADABLE);

    const dictionary = Buffer.concat([frame.subarray(0, 4), Buffer.from([1, 0x38, 7]), frame.subarray(6)]);
    expect((await read("dictionary.csv.zst", dictionary)).error).toMatchObject(UNREADABLE);
    const window = Buffer.from(frame);
    window[5] = 0xff;
    expect((await read("window.csv.zst", window)).error).toMatchObject(UNREADABLE);
    for (const header of [6 + 1, (200_000 << 3) + 1]) {
      const block = Buffer.from(frame);
      block.writeUIntLE(header, 6, 3);
      expect((await read("block.csv.zst", block)).error).toMatchObject(UNREADABLE);
    }
    for (const garbage of ["garbage", "x"]) {
      const trailing = await read("garbage.csv.zst", Buffer.concat([frame, Buffer.from(garbage)]));
      expect(String(trailing.before)).toBe("a\n");
      expect(trailing.error).toMatchObject(UNREADABLE);
    }
  });
});

describe("zip", () => {
  const files = [
    { name: "b.csv", content: TEXT },
    { name: "ü/日.csv", content: Buffer.from("ü\n"), isStored: true },
    { name: "a.csv.gz", content: gzipSync("packed twice\n") },
    { name: "streamed.csv", content: TEXT.subarray(0, 5000), isStreamed: true },
    { name: "empty.csv", content: Buffer.alloc(0) },
    { name: "folder/", content: Buffer.alloc(0), isStored: true },
    { name: "__MACOSX/._b.csv", content: Buffer.from("x") },
  ];

  it.each([{ isLarge: false }, { isLarge: true }, { comment: "PK\x05\x06 a comment of many bytes, as it seems" }])(
    "gives each of its files, %o",
    async (options) => {
      await writeFiles(folder, { "all.zip": zipOf(files, options) });
      const contents: Record<string, number> = {};
      for (const name of ["a.csv.gz", "b.csv", "empty.csv", "streamed.csv", "ü/日.csv"]) {
        const found = await fileIn("all.zip", name);
        contents[found.url.slice(folder.length)] = (await readFrom(found)).length;
      }
      expect(contents).toEqual({
        "/all.zip#a.csv.gz": 13,
        "/all.zip#b.csv": TEXT.length,
        "/all.zip#empty.csv": 0,
        "/all.zip#streamed.csv": 5000,
        "/all.zip#ü/日.csv": 3,
      });
    },
  );

  it("that was cut off, damaged, or encrypted is refused", async () => {
    const archive = zipOf(files);
    const refused = async (bytes: Uint8Array) => {
      await writeFiles(folder, { "bad.zip": bytes });
      return oneFile(path.join(folder, "bad.zip")).then(
        () => "listed",
        (error: unknown) => (error as { code?: string }).code,
      );
    };
    const start = archive.readUInt32LE(archive.length - 6);
    const wrongEntry = Buffer.from(archive);
    wrongEntry[start] = 0;
    const wrongPlace = Buffer.from(archive);
    wrongPlace.writeUInt32LE(archive.length, archive.length - 6);
    const wrongEnd64 = zipOf(files, { isLarge: true });
    wrongEnd64.writeBigUInt64LE(3n, wrongEnd64.length - 22 - 12);
    for (const bytes of [
      archive.subarray(0, archive.length - 1),
      archive.subarray(0, 1000),
      Buffer.alloc(0),
      wrongEntry,
      wrongPlace,
      wrongEnd64,
      zipOf([{ name: "a.csv", content: TEXT, flags: 1 }]),
      zipOf([{ name: "a.csv", content: TEXT, method: 12 }]),
      zipOf([files[0]!, files[0]!]),
    ]) {
      expect(await refused(bytes)).toBe("DELTA_INPUT_UNREADABLE");
    }
    expect(await refused(archive)).toBe("listed");
  });

  it("with a damaged file gives what comes before the damage, and an error", async () => {
    const archive = zipOf([files[0]!, files[1]!]);
    const offsets = [archive.indexOf("PK\x03\x04"), 40, 5000, archive.indexOf("PK\x03\x04", 4) - 1];
    for (const at of offsets) {
      const damaged = Buffer.from(archive);
      damaged[at]! ^= 0x20;
      await writeFiles(folder, { "damaged.zip": damaged });
      const { before, error } = await readUntilError(await fileIn("damaged.zip", "b.csv"));
      expect(error).toMatchObject(UNREADABLE);
      if (at < 1000) expect(before).toHaveLength(0);
    }
    const stored = zipOf([{ name: "s.csv", content: Buffer.from("stored"), isStored: true }]);
    stored[stored.indexOf("stored")]! ^= 1;
    await writeFiles(folder, { "stored.zip": stored });
    expect((await readUntilError(await fileIn("stored.zip", "s.csv"))).error).toMatchObject(UNREADABLE);
  });
});

describe.skipIf(toolsMissing.length > 0)(
  `files of the usual tools${toolsMissing.length > 0 ? ` (skipped: needs ${toolsMissing})` : ""}`,
  () => {
    beforeAll(async () => {
      await writeFiles(folder, { "tool/t.csv": TEXT });
      const run = (command: string) => execFileSync("sh", ["-c", command], { cwd: path.join(folder, "tool") });
      run("gzip -9 -k t.csv && cat t.csv.gz t.csv.gz > twice.csv.gz");
      run(
        "zstd -q -k t.csv && zstd -q -19 --no-check t.csv -o best.csv.zst && cat t.csv.zst best.csv.zst > both.csv.zst",
      );
      run("cat t.csv | zstd -q > piped.csv.zst");
      run("zip -q t.zip t.csv && cat t.csv | zip -q piped.zip -");
    });

    it("are read, and resumed in their midst", async () => {
      const expected = { "t.csv.gz": 1, "twice.csv.gz": 2, "t.csv.zst": 1, "best.csv.zst": 1, "both.csv.zst": 2 };
      for (const [name, times] of Object.entries({ ...expected, "piped.csv.zst": 1, "t.zip": 1, "piped.zip": 1 })) {
        const whole = Buffer.concat(Array.from({ length: times }, () => TEXT));
        const file = await oneFile(path.join(folder, "tool", name), { format: "csv" });
        await using reader = await openBytes(file, undefined);
        expect((await bytesOf(reader)).equals(whole)).toBe(true);
        for (const offset of [0, 100, TEXT.length - 1, whole.length - 1, whole.length]) {
          const rest = await readFrom(file, reader.positionAt(offset));
          expect(rest.equals(whole.subarray(offset))).toBe(true);
        }
      }
    });

    it("of zstd that were damaged are never taken for whole", async () => {
      const packed = readFileSync(path.join(folder, "tool", "t.csv.zst"));
      let noticed = 0;
      for (let at = 6; at < packed.length; at += Math.floor(packed.length / 40)) {
        const damaged = Buffer.from(packed);
        damaged[at]! ^= 0x10;
        const { error } = await read("damaged.csv.zst", damaged);
        expect(error).toMatchObject(UNREADABLE);
        if (((error as DeltaError).data.offset as number) <= at) noticed++;
      }
      // Most damage makes a block that can't be decoded; the checksum behind the last block finds the rest.
      expect(noticed).toBeGreaterThan(0);
      const { before, error } = await read(
        "damaged.csv.zst",
        Buffer.concat([packed.subarray(0, -1), Buffer.from("x")]),
      );
      expect(error).toMatchObject(UNREADABLE);
      expect(before).toHaveLength(TEXT.length);
    });
  },
);

async function fileIn(archive: string, name: string) {
  const files = await listAll([path.join(folder, archive)]);
  return files.find((file) => file.entry?.name === name)!;
}

function hasTool(name: string): boolean {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
