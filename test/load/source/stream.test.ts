import { execFile } from "node:child_process";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openBytes } from "#src/load/source/bytes.js";
import { prefixHash } from "#src/load/source/identity.js";
import { streamSource } from "#src/load/source/streamSource.js";
import { bytesOf, readFrom, readUntilError } from "./files.js";

const MIB = 1024 * 1024;

/** A stream of these bytes as a source, in pieces. */
function source(bytes: Uint8Array, pieceBytes = 1000) {
  function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  return streamSource(Readable.from(pieces()), { name: "test", format: "csv" });
}

describe("a stream as a source", () => {
  const text = Buffer.from(Array.from({ length: 3000 }, (_, line) => `line ${line}\n`).join(""));

  it("is read once to its end, after its beginning was looked at", async () => {
    const file = source(text);
    expect(file).toMatchObject({ url: "stream:test", identity: { sizeBytes: 0, modifiedMs: 0 } });
    for (let look = 0; look < 2; look++) {
      await using reader = await openBytes(file, undefined);
      expect(Buffer.from((await reader.read())!).equals(text.subarray(0, 1000))).toBe(true);
    }
    expect((await readFrom(file)).equals(text)).toBe(true);
    expect(await readFrom(source(Buffer.alloc(0)))).toHaveLength(0);
  });

  it("is resumed by another stream of the same bytes, compressed or not", async () => {
    for (const bytes of [
      text,
      gzipSync(text),
      Buffer.concat([gzipSync(text.subarray(0, 99)), gzipSync(text.subarray(99))]),
    ]) {
      const reader = await openBytes(source(bytes), undefined);
      expect((await bytesOf(reader)).equals(text)).toBe(true);
      for (const offset of [0, 50, 99, 20_000, text.length]) {
        const rest = await readFrom(source(bytes, 333), reader.positionAt(offset));
        expect(rest.equals(text.subarray(offset))).toBe(true);
      }
      await reader[Symbol.asyncDispose]();
    }
  });

  it("keeps a byte order mark in mind that lies before the position", async () => {
    const marked = Buffer.from(`\ufeff${"é,1\n".repeat(500)}`, "utf16le");
    const reader = await openBytes(source(marked), undefined);
    await bytesOf(reader);
    expect(String(await readFrom(source(marked), reader.positionAt(5)))).toBe("é,1\n".repeat(499));
  });

  it("that is shorter than the position says so", async () => {
    const { error } = await readUntilError(source(text), { stored: text.length + 1, decoded: 0 });
    expect(error).toMatchObject({ code: "DELTA_LOAD_SOURCE_CHANGED" });
  });

  it("can't be read again from where its bytes are gone", async () => {
    const file = source(Buffer.alloc(20 * MIB, "x"), MIB);
    expect(await readFrom(file)).toHaveLength(20 * MIB);
    const { before, error } = await readUntilError(file);
    expect(before).toHaveLength(16 * MIB);
    expect(error).toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
  });

  it("is known again by its beginning", async () => {
    const file = source(text);
    const hash = (await prefixHash(file, 20_000))!;
    expect(hash.tail).toBe(hash.head);
    expect((await readFrom(file)).equals(text)).toBe(true);
    expect(await prefixHash(source(text), 20_000)).toEqual(hash);
    expect(await prefixHash(source(Buffer.concat([text, text])), 20_000)).toEqual(hash);
    const other = Buffer.from(text);
    other[100] = 0;
    expect(await prefixHash(source(other), 20_000)).not.toEqual(hash);
    expect(await prefixHash(source(text.subarray(0, 100)), 20_000)).toBeUndefined();
  });

  it("stops at a signal, and passes its own failure on", async () => {
    const waiting = streamSource(new Readable({ read() {} }), { name: "test", format: "csv" });
    const aborted = { code: "DELTA_ABORTED" };
    await expect(openBytes(waiting, undefined, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject(aborted);
    const broken = new Readable({
      read() {
        this.destroy(new Error("broken"));
      },
    });
    const file = streamSource(broken, { name: "test", format: "csv" });
    await expect(openBytes(file, undefined)).rejects.toThrow("broken");
  });

  it("may be the standard input of a process", async () => {
    const script = `
      import { streamSource } from "#src/load/source/streamSource.js";
      import { openBytes } from "#src/load/source/bytes.js";
      const file = streamSource(process.stdin, { name: "stdin", format: "csv" });
      const reader = await openBytes(file, { stored: 7, decoded: 0 });
      let count = 0;
      for (let part = await reader.read(); part !== undefined; part = await reader.read()) count += part.length;
      console.log(count);
    `;
    const printed = await new Promise<string>((resolve, reject) => {
      const child = execFile(process.execPath, ["--input-type=module", "-e", script], (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      );
      child.stdin!.end(Buffer.alloc(MIB, "x"));
    });
    expect(printed.trim()).toBe(String(MIB - 7));
  });
});
