import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBytes } from "#src/load/source/bytes.js";
import { prefixHash } from "#src/load/source/identity.js";
import { listSources } from "#src/load/source/list.js";
import type { SourceFile } from "#src/load/source/source.js";
import { s3Store } from "#src/storage/s3.js";
import type { ObjectStore } from "#src/storage/store.js";
import type { S3Server } from "../../servers/s3Server.js";
import { s3Servers } from "../../servers/servers.js";
import { bytesOf, readFrom } from "./files.js";
import { zipOf } from "./pack.js";

const MIB = 1024 * 1024;

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`sources on ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    let store: ObjectStore;
    const text = Buffer.from(Array.from({ length: 900_000 }, (_, line) => `${line},${line * 7}\n`).join(""));
    const put = (key: string, bytes: string | Uint8Array) => store.put(key, Buffer.from(bytes as string));

    beforeAll(async () => {
      server = await choice.start();
      store = s3Store(`s3://${server.bucket}`, server.options);
      await put("raw/b.csv", "b");
      await put("raw/a b+ü%20.csv.gz", gzipSync("a\n"));
      await put("raw/_SUCCESS", "");
      await put("raw/_delta_log/0.json", "");
      await put("raw/sub/c[1].tsv", "c");
      await put("raw/z.zip", zipOf([{ name: "in.csv", content: text.subarray(0, 100_000) }]));
      await put("raw-other/x.csv", "x");
      await put("large/plain.csv", text);
      await put(
        "large/packed.csv.gz",
        Buffer.concat([gzipSync(text.subarray(0, 5 * MIB)), gzipSync(text.subarray(5 * MIB))]),
      );
    });
    afterAll(async () => {
      await store?.[Symbol.asyncDispose]();
      await server?.stop();
    });

    /** Gives the files to `use` while they can be opened. */
    async function withFiles<T>(operands: readonly string[], use: (files: SourceFile[]) => Promise<T>): Promise<T> {
      const full = operands.map((operand) => `s3://${server.bucket}/${operand}`);
      await using listing = listSources(full, { storage: { s3: server.options } });
      const files: SourceFile[] = [];
      for await (const file of listing) files.push(file);
      return await use(files);
    }

    const keysOf = (...operands: string[]) =>
      withFiles(operands, async (files) => files.map(({ url }) => url.slice(`s3://${server.bucket}/`.length)));

    it("are objects, prefixes, patterns and archives", async () => {
      const all = ["raw/a b+ü%20.csv.gz", "raw/b.csv", "raw/sub/c[1].tsv", "raw/z.zip#in.csv"];
      expect(await keysOf("raw")).toEqual(all);
      expect(await keysOf("raw/")).toEqual(all);
      expect(await keysOf("raw/*.csv", "raw/*")).toEqual(["raw/b.csv", all[0], ...all.slice(2)]);
      expect(await keysOf("raw/**/c*.tsv", "raw/b.csv")).toEqual(["raw/sub/c[1].tsv", "raw/b.csv"]);
      expect(await keysOf("raw/sub/c[1].tsv")).toEqual(["raw/sub/c[1].tsv"]);
      expect(await keysOf("raw*/*.csv")).toEqual(["raw-other/x.csv", "raw/b.csv"]);
      for (const nothing of ["ra", "raw/b.csv/", "raw/none", "raw/*.parquet"]) {
        await expect(keysOf(nothing)).rejects.toMatchObject({ code: "DELTA_FILE_NOT_FOUND" });
      }
    });

    it("are listed without a request for each, with their etags", async () => {
      await withFiles(["raw"], async (files) => {
        for (const { path, identity } of files) {
          expect(identity.etag).toMatch(/^".+"$/);
          expect(identity).toMatchObject({ etag: (await store.head(path))?.etag });
        }
      });
    });

    it("are read in several requests, and resumed at a byte", async () => {
      await withFiles(["large", "raw/z.zip"], async (files) => {
        expect(files).toHaveLength(3);
        for (const file of files) {
          const whole = file.entry === undefined ? text : text.subarray(0, 100_000);
          await using reader = await openBytes(file, undefined);
          expect((await bytesOf(reader)).equals(whole)).toBe(true);
          expect(reader.storedBytesRead).toBeLessThanOrEqual(file.identity.sizeBytes);
          const offset = Math.floor(whole.length * 0.9);
          const position = reader.positionAt(offset);
          await using rest = await openBytes(file, position);
          expect((await bytesOf(rest)).equals(whole.subarray(offset))).toBe(true);
          if (file.url.endsWith("plain.csv")) expect(rest.storedBytesRead).toBe(whole.length - offset);
          if (file.url.endsWith(".gz")) expect(position.stored).toBeGreaterThan(0);
        }
      });
    });

    it("that are replaced while they are read are noticed, also by one of the same size", async () => {
      await put("w/a.csv", text);
      await withFiles(["w/a.csv"], async ([file]) => {
        await using reader = await openBytes(file!, undefined, { chunkBytes: MIB });
        await reader.read();
        await put("w/a.csv", text.toReversed());
        const changed = { code: "DELTA_LOAD_SOURCE_CHANGED" };
        await expect(bytesOf(reader)).rejects.toMatchObject(changed);
        await expect(readFrom(file!)).rejects.toMatchObject(changed);
      });
    });

    it("that were appended to still have the prefix that was read", async () => {
      await put("w/log.csv", "one\ntwo\n");
      const hashOf = () => withFiles(["w/log.csv"], ([file]) => prefixHash(file!, 8));
      const before = await hashOf();
      await put("w/log.csv", "one\ntwo\nthree\n");
      expect(await hashOf()).toEqual(before);
      await withFiles(["w/log.csv"], async ([file]) => {
        expect(String(await readFrom(file!, { stored: 8, decoded: 0 }))).toBe("three\n");
      });
      await put("w/log.csv", "eins\nzwei\n");
      expect(await hashOf()).not.toEqual(before);
    });
  });
}
