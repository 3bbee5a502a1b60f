import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasCode } from "#src/errors.js";
import { type LoadOptions, Table } from "#src/index.js";
import { runtime } from "#src/runtime.js";
import { s3Store } from "#src/storage/s3.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";
import { csvLines, deadIdsOf, HEADER, idsOf, isBad, range, SCHEMA } from "./loadFixture.js";

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`a load from and to ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    let store: ObjectStore;
    beforeAll(async () => {
      server = await choice.start();
      store = s3Store(`s3://${server.bucket}`, server.options);
    });
    afterAll(async () => {
      await store?.[Symbol.asyncDispose]();
      await server?.stop();
    });

    it("goes on after each stop, loads what is new, and notices what was replaced", async () => {
      const folder = runtime.randomUUID();
      const put = (name: string, bytes: string | Uint8Array) =>
        store.put(`${folder}/raw/${name}`, Buffer.from(bytes as string));
      await put("a.csv", HEADER + csvLines(0, 500));
      await put("b.csv.gz", gzipSync(HEADER + csvLines(500, 1000)));
      const storage = { s3: server.options };
      const at = `s3://${server.bucket}/${folder}/table`;
      const source = `s3://${server.bucket}/${folder}/raw/*.csv*`;
      const options: LoadOptions = { schema: SCHEMA, batchBytes: 4000, storage };
      await using table = Table.open(at, storage);
      let runs = 1;
      for (; ; runs++) {
        const stop = new AbortController();
        const onProgress: LoadOptions["onProgress"] = ({ isCommitted }) => isCommitted && stop.abort();
        try {
          await table.load(source, { ...options, signal: stop.signal, onProgress });
          break;
        } catch (error) {
          if (!hasCode(error, "DELTA_ABORTED")) throw error;
        }
      }
      expect(runs).toBeGreaterThan(3);
      await using letters = Table.open(`${at}/_dead_letters`, storage);
      expect(await idsOf(table)).toEqual(range(0, 1000).filter((id) => !isBad(id)));
      expect(await deadIdsOf(letters)).toEqual(range(0, 1000).filter(isBad));
      expect(await table.load(source, options)).toMatchObject({ isUpToDate: true });
      await put("c.csv", HEADER + csvLines(1000, 1100));
      expect(await table.load(source, options)).toMatchObject({ filesDone: 1, rowsRead: 100 });
      expect(await idsOf(table)).toEqual(range(0, 1100).filter((id) => !isBad(id)));
      await put("c.csv", HEADER + csvLines(2000, 2100));
      await expectCode("DELTA_LOAD_SOURCE_CHANGED", () => table.load(source, options));
    });

    it("notices a source that is replaced while it is read, and goes on once the old one is back", async () => {
      const folder = runtime.randomUUID();
      const put = (text: string) => store.put(`${folder}/a.csv`, Buffer.from(text));
      const old = HEADER + csvLines(0, 4000);
      await put(old);
      const storage = { s3: server.options };
      await using table = Table.open(`s3://${server.bucket}/${folder}/table`, storage);
      let replacing: Promise<void> | undefined;
      const options: LoadOptions = { schema: SCHEMA, batchBytes: 8000, storage };
      const source = `s3://${server.bucket}/${folder}/a.csv`;
      await expectCode("DELTA_LOAD_SOURCE_CHANGED", () =>
        table.load(source, {
          ...options,
          // Of the same size.
          onProgress: ({ isCommitted }) => {
            if (isCommitted) replacing ??= put(old.replaceAll("name", "eman"));
          },
        }),
      );
      await replacing;
      const loaded = await idsOf(table);
      expect(loaded.length).toBeGreaterThan(0);
      expect(loaded.length).toBeLessThan(3900);
      await put(old);
      await table.load(source, options);
      expect(await idsOf(table)).toEqual(range(0, 4000).filter((id) => !isBad(id)));
      expect(await table.count({ where: { name: "eman\n7" } })).toBe(0);
    });
  });
}
