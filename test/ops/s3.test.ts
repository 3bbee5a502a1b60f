import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type AppendResult, Table } from "#src/index.js";
import { replaceRuntime, runtime } from "#src/runtime.js";
import { expectCode } from "../expectCode.js";
import { type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`a table on S3, ${choice.name}${choice.skip ?? ""}`, () => {
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
    afterEach(() => proxy.reset());

    const location = () => `s3://${server.bucket}/${runtime.randomUUID()}`;
    const faulty = (url: string) => Table.open(url, { s3: { ...server.options, endpoint: proxy.endpoint } });
    const commits = /_delta_log\/\d{20}\.json/;

    it("appends, reads, checkpoints and travels in time", async () => {
      const url = location();
      const table = Table.open(url, { s3: server.options });
      for (let i = 0; i < 12; i++)
        await table.append([{ id: BigInt(i), part: i % 2 === 0 ? "a b" : "ü/=" }], { partitionBy: ["part"] });
      const other = Table.open(url, { s3: server.options });
      expect(await other.count()).toBe(12);
      expect((await other.toArray({ where: { part: "ü/=" }, columns: ["id"] })).map((row) => row.id)).toHaveLength(6);
      expect(await other.at(4).count()).toBe(5);
      expect(await other.history()).toHaveLength(12);
      expect(await other.at((await other.history())[3].timestamp).version()).toBeGreaterThanOrEqual(8);
    });

    it("costs a blind append one data put, one commit put, and one of a checksum, for which the next one waits", async () => {
      const table = faulty(location());
      await table.append([{ id: 1n }]);
      await table.append([{ id: 2n }]);
      proxy.reset();
      await table.append([{ id: 3n }]);
      await table.append([{ id: 4n }]);
      const names = proxy.requests.map((request) => request.replace(/\?.*/, "").split("/").at(-1)!);
      const commits = ["00000000000000000002.json", "00000000000000000003.json"];
      expect(names.filter((name) => name.endsWith(".json"))).toEqual(commits);
      expect(names.filter((name) => /^part-.*\.parquet$/.test(name))).toHaveLength(2);
      const checksums = names.filter((name) => name.endsWith(".crc"));
      expect(checksums).toContain("00000000000000000002.crc");
      expect(names).toHaveLength(4 + checksums.length);
      expect(proxy.requests.every((request) => request.startsWith("PUT"))).toBe(true);
    });

    const lost = {
      "drops the answer": { kind: "drop-answer" },
      "turns the answer into 500": { kind: "replace-answer", status: 500, code: "InternalError" },
      "turns the answer into 412": { kind: "replace-answer", status: 412, code: "PreconditionFailed" },
    } as const;
    for (const [name, fault] of Object.entries(lost)) {
      it(`commits once when the line ${name} of a claim that took effect`, async () => {
        const table = faulty(location());
        await table.append([{ id: 0n }]);
        proxy.add({ method: "PUT", target: commits, fault });
        expect((await table.append([{ id: 1n }])).version).toBe(1);
        expect((await table.append([{ id: 2n }])).version).toBe(2);
        expect((await table.toArray()).map((row) => row.id).sort()).toEqual([0n, 1n, 2n]);
      });
    }

    const refused = {
      "409": { kind: "refuse", status: 409, code: "ConditionalRequestConflict" },
      "503": { kind: "refuse", status: 503, code: "SlowDown" },
      "a cut body": { kind: "cut-request" },
      "a reset": { kind: "reset" },
    } as const;
    for (const [name, fault] of Object.entries(refused)) {
      it(`tries again after ${name} before the effect`, async () => {
        const table = faulty(location());
        await table.append([{ id: 0n }]);
        proxy.add({ method: "PUT", target: commits, fault, times: 2 });
        expect((await table.append([{ id: 1n }])).version).toBe(1);
        expect((await table.toArray()).map((row) => row.id).sort()).toEqual([0n, 1n]);
      });
    }

    it("creates the table once when the first claim's answer is lost", async () => {
      const url = location();
      proxy.add({ method: "PUT", target: commits, fault: { kind: "drop-answer" } });
      expect((await faulty(url).append([{ id: 0n }])).version).toBe(0);
      expect(await Table.open(url, { s3: server.options }).count()).toBe(1);
    });

    it("says that it doesn't know when storage stays silent after the claim, and keeps the files", async () => {
      const url = location();
      const table = faulty(url);
      await table.append([{ id: 0n }]);
      proxy.add({ method: "PUT", target: commits, times: 1000, fault: { kind: "drop-answer" } });
      proxy.add({ method: "GET", target: commits, times: 1000, fault: { kind: "reset" } });
      // It asks again for some time, with pauses that this test needn't wait for.
      const restore = replaceRuntime({ sleep: async () => {} });
      const error = await expectCode("DELTA_COMMIT_OUTCOME_UNKNOWN", () => table.append([{ id: 1n }])).finally(restore);
      expect(error.data).toMatchObject({ version: 1 });
      proxy.reset();
      const { txnId } = (await Table.open(url, { s3: server.options }).history())[0];
      expect(txnId).toBe(error.data.txnId);
      expect((await table.toArray()).map((row) => row.id).sort()).toEqual([0n, 1n]);
    });

    it("lands every one of many appends at once from several handles", async () => {
      const url = location();
      const handles = Array.from({ length: 4 }, () => Table.open(url, { s3: server.options }));
      const results: AppendResult[] = await Promise.all(
        Array.from({ length: 24 }, (_, i) => handles[i % 4].append([{ id: BigInt(i) }])),
      );
      expect(results.map((result) => result.version).sort((a, b) => a - b)).toEqual(results.map((_, i) => i));
      expect(await handles[0].count()).toBe(24);
    });
  });
}
