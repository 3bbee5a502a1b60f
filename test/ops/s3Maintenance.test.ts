import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { replaceRuntime, runtime } from "#src/runtime.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

const DAY_MS = 86_400_000;

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`maintenance on S3, ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await choice.start();
    });
    afterAll(() => server?.stop());

    const location = () => `s3://${server.bucket}/${runtime.randomUUID()}`;
    const open = (url: string, dataRoots: readonly string[] = []) => Table.open(url, { s3: server.options, dataRoots });
    const ids = async (table: Table) => (await table.toArray()).map(({ id }) => Number(id)).sort();

    it("queries, restores, clones and vacuums", async () => {
      const [url, deep, shallow] = [location(), location(), location()];
      const table = open(url);
      for (const id of [1n, 2n, 3n]) await table.append([{ id, part: "a b/=" }], { partitionBy: ["part"] });
      await table.delete({ id: 2n });
      expect(await table.sql("select sum(id) as s, count(*) as n, min(part) as p from this").toArray()).toEqual([
        { s: 4n, n: 2n, p: "a b/=" },
      ]);
      await table.clone(open(shallow), { shallow: true });
      expect(await ids(open(shallow, [url]))).toEqual([1, 3]);
      await table.restore(2);
      expect(await ids(table)).toEqual([1, 2, 3]);
      await table.restore(3);
      expect(await table.clone(open(deep))).toMatchObject({ fileCount: 2, copiedFileCount: 2 });

      const { now } = runtime;
      const restore = replaceRuntime({ now: () => now() + 8 * DAY_MS });
      try {
        expect((await table.vacuum()).fileCount).toBe(1);
        expect((await open(shallow, [url]).vacuum()).fileCount).toBe(0);
      } finally {
        restore();
      }
      expect(await ids(table)).toEqual([1, 3]);
      expect(await ids(open(deep))).toEqual([1, 3]);
      expect(await ids(open(shallow, [url]))).toEqual([1, 3]);
      expect((await table.verify()).ok).toBe(true);
    });
  });
}
