import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { streamFolder, Table } from "#src/index.js";
import { runtime } from "#src/runtime.js";
import { openStore } from "#src/storage/open.js";
import { type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";
import { ids, pathsOf, rows, upTo } from "./streams.js";

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`a stream on S3, ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    let proxy: FaultProxy;
    beforeAll(async () => {
      server = await choice.start();
      proxy = await startFaultProxy(server.endpoint);
    });
    afterAll(async () => {
      await proxy?.close();
      await server?.stop();
    });

    const place = () => `s3://${server.bucket}/${runtime.randomUUID()}`;
    const s3 = () => ({ ...server.options, endpoint: proxy.endpoint });

    it("goes on where it was, from table to table", async () => {
      const [source, target] = [Table.open(place(), { s3: s3() }), Table.open(place(), { s3: s3() })];
      const checkpoint = place();
      const run = () => source.stream({ maxFilesPerTrigger: 1 }).toTable(target, { checkpoint, storage: { s3: s3() } });
      await source.append(rows(0, 2));
      await source.append(rows(2, 4));
      expect(await run()).toMatchObject({ batchCount: 2 });
      await source.append(rows(4, 6));
      expect(await run()).toMatchObject({ batchCount: 1, rowCount: 2 });
      expect(await ids(target)).toEqual(upTo(6));
      expect(await pathsOf(openStore(checkpoint, { s3: s3() }))).toContain("offsets/2");
    });

    it("takes a lost answer to each of its writes for neither done nor failed", async () => {
      const source = Table.open(place(), { s3: server.options });
      await source.append(rows(0, 2));
      const writes = [/offsets\/0(\?|$)/, /commits\/0(\?|$)/, /\/metadata(\?|$)/, /_delta_log\/0{20}\.json/];
      for (const target of writes) {
        const table = Table.open(place(), { s3: s3() });
        const checkpoint = place();
        proxy.reset();
        proxy.add({ method: "PUT", target, fault: { kind: "drop-answer" } });
        await source.stream().toTable(table, { checkpoint, storage: { s3: s3() } });
        expect(
          proxy.requests.filter((request) => request.startsWith("PUT") && target.test(request.replace(/\?.*/, ""))),
        ).not.toHaveLength(0);
        expect(await source.stream().toTable(table, { checkpoint, storage: { s3: s3() } })).toMatchObject({
          batchCount: 0,
        });
        expect(await ids(table)).toEqual([0, 1]);
      }
    });

    it("reads a folder's files", async () => {
      const inbox = place();
      const store = openStore(inbox, { s3: server.options });
      await store.put("a b.csv", new TextEncoder().encode("id\n0\n1\n"));
      await store.put("deeper/ü.csv", new TextEncoder().encode("id\n2\n"));
      const target = Table.open(place(), { s3: server.options });
      const storage = { s3: server.options };
      const checkpoint = place();
      const run = () =>
        streamFolder(inbox, { schema: { id: "long" }, storage }).toTable(target, { checkpoint, storage });
      expect(await run()).toMatchObject({ rowCount: 3 });
      expect(await run()).toMatchObject({ batchCount: 0 });
      await store.put("a c.csv", new TextEncoder().encode("id\n3\n"));
      expect(await run()).toMatchObject({ rowCount: 1 });
      expect(await ids(target)).toEqual(upTo(4));
    });
  });
}
