import { writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openBytes } from "#src/load/source/bytes.js";
import type { Encoding } from "#src/load/source/encoding.js";
import fc from "../../fastCheck.js";
import { bytesOf, oneFile, readFrom, readUntilError, temporaryFolder, writeFiles } from "./files.js";
import { zipOf, zstdFrameOf } from "./pack.js";

const folder = await temporaryFolder();

/** Texts that all encodings have, so that each of them can be asked for. */
const PLAIN_TEXT = fc.string({ unit: fc.constantFrom("a", "b", ",", '"', "\n", "\r", "é", "ÿ", " "), maxLength: 60 });
const ANY_TEXT = fc.string({ unit: fc.constantFrom("a", "\n", "é", "€", "日", "\u{1F600}", "\ufffd"), maxLength: 60 });

const ENCODED: { readonly [name in Encoding]: (text: string) => Buffer } = {
  "utf-8": (text) => Buffer.from(text),
  "utf-16le": (text) => Buffer.from(text, "utf16le"),
  "utf-16be": (text) => Buffer.from(text, "utf16le").swap16(),
  latin1: (text) => Buffer.from(text, "latin1"),
  "windows-1252": (text) => Buffer.from(text, "latin1"),
};

const MARK: { readonly [name: string]: readonly number[] } = {
  "utf-8": [0xef, 0xbb, 0xbf],
  "utf-16le": [0xff, 0xfe],
  "utf-16be": [0xfe, 0xff],
};

const PACKED: { readonly [name: string]: (members: readonly Buffer[]) => Buffer } = {
  ".csv": (members) => Buffer.concat(members),
  ".csv.gz": (members) => Buffer.concat(members.map((member) => gzipSync(member))),
  ".csv.zst": (members) => Buffer.concat(members.map((member) => zstdFrameOf(member, 7))),
  ".zip": (members) => zipOf([{ name: "in.csv", content: Buffer.concat(members) }]),
  ".stored.zip": (members) => zipOf([{ name: "in.csv", content: Buffer.concat(members), isStored: true }]),
};

const CASE = fc
  .record({
    encoding: fc.constantFrom(...(Object.keys(ENCODED) as Encoding[])),
    isMarked: fc.boolean(),
    extension: fc.constantFrom(...Object.keys(PACKED)),
    cuts: fc.array(fc.nat(200), { maxLength: 4 }),
    chunkBytes: fc.integer({ min: 1, max: 50 }),
    asked: fc.array(fc.nat(300), { minLength: 1, maxLength: 6 }),
  })
  .chain((given) =>
    fc.record({
      given: fc.constant(given),
      text: given.encoding.startsWith("utf") ? ANY_TEXT : PLAIN_TEXT,
    }),
  );

describe("the bytes of a source", () => {
  it("come as UTF-8, and again from each position that a reader gives", async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(CASE, async ({ given, text }) => {
        const { encoding, isMarked, extension, cuts, chunkBytes } = given;
        const mark = (isMarked && MARK[encoding]) || [];
        const content = Buffer.concat([Buffer.from(mark), ENCODED[encoding](text)]);
        const at = path.join(folder, `case-${number++ % 8}${extension}`);
        await writeFile(at, PACKED[extension]!(membersOf(content, cuts)));
        const file = await oneFile(at);
        // A mark overrules what is asked for.
        const options = { chunkBytes, encoding: mark.length > 0 ? "latin1" : encoding };
        const utf8 = Buffer.from(text);

        await using reader = await openBytes(file, undefined, options);
        expect((await bytesOf(reader)).equals(utf8)).toBe(true);
        const offsets = given.asked.map((one) => characterAt(utf8, one)).sort((a, b) => a - b);
        for (const offset of offsets) {
          const position = reader.positionAt(offset);
          await using again = await openBytes(file, position, options);
          expect((await bytesOf(again)).equals(utf8.subarray(offset))).toBe(true);
          // Positions of a reader that began within the file are as good.
          const half = characterAt(utf8, offset + Math.floor((utf8.length - offset) / 2));
          const rest = await readFrom(file, again.positionAt(half - offset), options);
          expect(rest.equals(utf8.subarray(half))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("can be asked for positions before all is read", async () => {
    const members = ["first,", "", "second,", "third"];
    await writeFiles(folder, { "early.csv.gz": PACKED[".csv.gz"]!(members.map((text) => Buffer.from(text))) });
    const file = await oneFile(path.join(folder, "early.csv.gz"));
    const starts = [0, 26, 46, 73];
    await using reader = await openBytes(file, undefined);
    expect(reader.positionAt(0)).toEqual({ stored: 0, decoded: 0 });
    expect(String(await reader.read())).toBe("first,");
    expect(reader.positionAt(5)).toEqual({ stored: 0, decoded: 5 });
    expect(String(await reader.read())).toBe("second,");
    expect(reader.positionAt(6)).toEqual({ stored: starts[2], decoded: 0 });
    expect(reader.positionAt(8)).toEqual({ stored: starts[2], decoded: 2 });
    expect(String(await reader.read())).toBe("third");
    expect(await reader.read()).toBeUndefined();
    expect(reader.positionAt(18)).toEqual({ stored: file.identity.sizeBytes, decoded: 0 });
  });

  it("of plain files have their own offsets, whatever the encoding", async () => {
    await writeFiles(folder, {
      "offsets.csv": "é,1\n",
      "offsets-marked.csv": Buffer.from("\ufeffé,1\n", "utf16le"),
      "offsets-1252.csv": Buffer.from([0x80, 0x2c, 0x31]),
    });
    const positionsOf = async (name: string, encoding: string | undefined, ...offsets: number[]) => {
      await using reader = await openBytes(await oneFile(path.join(folder, name)), undefined, { encoding });
      await bytesOf(reader);
      return offsets.map((offset) => reader.positionAt(offset).stored);
    };
    expect(await positionsOf("offsets.csv", undefined, 0, 2, 3)).toEqual([0, 2, 3]);
    expect(await positionsOf("offsets-marked.csv", undefined, 0, 2, 3)).toEqual([2, 4, 6]);
    expect(await positionsOf("offsets-1252.csv", "windows-1252", 0, 3, 4)).toEqual([0, 1, 2]);
  });

  it("are every character of windows-1252 and latin1", async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await writeFiles(folder, { "all.csv": all });
    const file = await oneFile(path.join(folder, "all.csv"));
    const latin1 = await readFrom(file, undefined, { encoding: "latin1" });
    expect([...String(latin1)].map((character) => character.codePointAt(0))).toEqual([...all]);
    const windows = [...String(await readFrom(file, undefined, { encoding: "Windows-1252" }))].join("");
    expect(windows.slice(0x80, 0xa0)).toBe("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ");
    expect(windows.slice(0, 0x80) + windows.slice(0xa0)).toBe(
      String(latin1).slice(0, 0x80) + String(latin1).slice(0xa0),
    );
  });

  it("of UTF-16 that is none aren't UTF-8 either, and keep their positions", async () => {
    const units = Buffer.from("a\u{1F600}b", "utf16le");
    // Half of a pair alone, twice, and the other half at the end.
    const broken = Buffer.concat([units.subarray(0, 4), units.subarray(6), units.subarray(4, 6), units.subarray(0, 4)]);
    await writeFiles(folder, { "broken.csv": broken });
    const file = await oneFile(path.join(folder, "broken.csv"));
    await using reader = await openBytes(file, undefined, { encoding: "utf-16le", chunkBytes: 3 });
    const bytes = await bytesOf(reader);
    expect([...bytes]).toEqual([0x61, 0xed, 0xa0, 0xbd, 0x62, 0xed, 0xb8, 0x80, 0x61, 0xed, 0xa0, 0xbd]);
    expect(reader.positionAt(4).stored).toBe(4);
    expect(reader.positionAt(8).stored).toBe(8);

    await writeFiles(folder, { "odd.csv": Buffer.from([0x61, 0, 0x62]) });
    const odd = await readUntilError(await oneFile(path.join(folder, "odd.csv")), undefined, { encoding: "utf-16le" });
    expect(String(odd.before)).toBe("a");
    expect(odd.error).toMatchObject({ code: "DELTA_INPUT_UNREADABLE", data: { offset: 3 } });
  });

  it("of formats that aren't text are what they are", async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0]);
    await writeFiles(folder, { "x.arrow": bytes, "y.arrow.gz": gzipSync(bytes) });
    for (const name of ["x.arrow", "y.arrow.gz"]) {
      const file = await oneFile(path.join(folder, name));
      expect([...(await readFrom(file, undefined, { encoding: "nonsense" }))]).toEqual([...bytes]);
    }
  });

  it("aren't read in an encoding that nobody knows", async () => {
    await writeFiles(folder, { "a.csv": "a" });
    const file = await oneFile(path.join(folder, "a.csv"));
    for (const encoding of ["utf-7", "constructor", ""]) {
      await expect(openBytes(file, undefined, { encoding })).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    }
  });

  it("may be none", async () => {
    await writeFiles(folder, { "none.csv": "", "none.csv.gz": "", "none.csv.zst": "", "mark.csv": "\ufeff" });
    for (const name of ["none.csv", "none.csv.gz", "none.csv.zst", "mark.csv"]) {
      const file = await oneFile(path.join(folder, name));
      await using reader = await openBytes(file, undefined);
      expect(await reader.read()).toBeUndefined();
      expect(await readFrom(file, reader.positionAt(0))).toHaveLength(0);
    }
  });

  it("are taken for what they are, not for what the name says", async () => {
    const text = "a,b\n1,2\n".repeat(100);
    await writeFiles(folder, {
      "unpacked.csv.gz": text,
      "unpacked.csv.zst": text,
      "packed.csv": gzipSync(text),
      "zstd.csv": zstdFrameOf(Buffer.from(text)),
      "zstd.csv.gz": zstdFrameOf(Buffer.from(text)),
      "neither.csv.gz": Buffer.from([0, 1, 2, 3]),
    });
    for (const name of ["unpacked.csv.gz", "unpacked.csv.zst", "packed.csv", "zstd.csv", "zstd.csv.gz"]) {
      const file = await oneFile(path.join(folder, name));
      expect(String(await readFrom(file))).toBe(text);
    }
    await expect(openBytes(await oneFile(path.join(folder, "neither.csv.gz")), undefined)).rejects.toMatchObject({
      code: "DELTA_INPUT_UNREADABLE",
    });
  });

  it("stop coming when the signal fires", async () => {
    await writeFiles(folder, { "long.csv": "x".repeat(10_000) });
    const file = await oneFile(path.join(folder, "long.csv"));
    await using reader = await openBytes(file, undefined, { chunkBytes: 100 });
    await reader.read();
    const aborted = { code: "DELTA_ABORTED" };
    await expect(reader.read(AbortSignal.abort())).rejects.toMatchObject(aborted);
    await expect(reader.read()).rejects.toMatchObject(aborted);
  });

  it("are the same where what was given is given back, and of plain files in the same memory", async () => {
    const text = Array.from({ length: 2000 }, (_, i) => `${i},\u20ac\n`).join("");
    for (const [extension, pack] of Object.entries(PACKED)) {
      for (const encoding of ["utf-8", "utf-16le"] as const) {
        const name = `release-${encoding}${extension}`;
        await writeFile(path.join(folder, name), pack([ENCODED[encoding](text)]));
        await using reader = await openBytes(await oneFile(path.join(folder, name)), undefined, {
          encoding,
          chunkBytes: 100,
        });
        const copies: Buffer[] = [];
        const memories = new Set<ArrayBufferLike>();
        for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
          copies.push(Buffer.from(piece));
          memories.add(piece.buffer);
          reader.release(piece);
        }
        expect(Buffer.concat(copies).toString()).toBe(text);
        if (extension === ".csv" && encoding === "utf-8") expect(memories.size).toBeLessThan(6);
      }
    }
  });

  it("are read a chunk ahead, not more", async () => {
    await writeFiles(folder, { "ahead.csv": "x".repeat(10_000) });
    const file = await oneFile(path.join(folder, "ahead.csv"));
    await using reader = await openBytes(file, undefined, { chunkBytes: 1000 });
    for (let i = 1; i < 9; i++) {
      await reader.read();
      expect(reader.storedBytesRead).toBeGreaterThanOrEqual(i * 1000);
      expect(reader.storedBytesRead).toBeLessThanOrEqual((i + 1) * 1000);
    }
  });

  it("don't seem to end where the reader was closed", async () => {
    await writeFiles(folder, { "closed.csv": "x".repeat(10_000), "closed.csv.gz": gzipSync("x".repeat(10_000_000)) });
    for (const name of ["closed.csv", "closed.csv.gz"]) {
      const reader = await openBytes(await oneFile(path.join(folder, name)), undefined, { chunkBytes: 1000 });
      await reader.read();
      const reading = reader.read().catch((error: unknown) => error);
      await reader[Symbol.asyncDispose]();
      expect(await reading).not.toBeUndefined();
      await expect(reader.read()).rejects.toMatchObject({ code: "DELTA_ABORTED" });
    }
  });
});

function membersOf(content: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((cut) => Math.min(cut, content.length)), content.length].sort((a, b) => a - b);
  return ends.map((end, index) => content.subarray(ends[index - 1] ?? 0, end));
}

/** The first byte of a character, at or before a byte. */
function characterAt(utf8: Buffer, offset: number): number {
  let at = Math.min(offset, utf8.length);
  while (at > 0 && at < utf8.length && (utf8[at]! & 0xc0) === 0x80) at--;
  return at;
}
