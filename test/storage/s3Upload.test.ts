import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { replaceRuntime } from "#src/runtime.js";
import { s3Store } from "#src/storage/s3.js";
import type { ObjectStore } from "#src/storage/store.js";
import { type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import { REGION, type S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

const MIB = 1024 * 1024;

/** 16-byte lines that differ, so that parts in the wrong order show. */
function content(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer, 0, size >> 2);
  for (let i = 0; i < words.length; i += 4) words[i] = i;
  return bytes;
}

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`large objects on ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    let proxy: FaultProxy;
    let store: ObjectStore;
    let restore = () => {};
    const bytes = content(65 * MIB + 12);

    beforeAll(async () => {
      server = await choice.start();
      proxy = await startFaultProxy(server.endpoint);
      store = s3Store(`s3://${server.bucket}/t`, { ...server.options, endpoint: proxy.endpoint });
    });
    afterAll(async () => {
      await store?.[Symbol.asyncDispose]();
      await proxy?.close();
      await server?.stop();
    });
    beforeEach(() => {
      proxy.reset();
      restore = replaceRuntime({ sleep: async () => {} });
    });
    afterEach(() => restore());

    const count = (pattern: RegExp) => proxy.requests.filter((request) => pattern.test(request)).length;

    async function uploadsLeft(): Promise<number> {
      const { endpoint, credentials } = server;
      const client = new S3Client({ endpoint, credentials, region: REGION, forcePathStyle: true });
      const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: server.bucket }));
      client.destroy();
      return Uploads?.length ?? 0;
    }

    it("go in one request up to 64 MiB", async () => {
      await store.put("limit", bytes.subarray(0, 64 * MIB));
      expect(proxy.requests).toHaveLength(1);
      expect(await store.head("limit")).toMatchObject({ sizeBytes: 64 * MIB });
    });

    it("go in parts above, each repeated when it fails, and the whole when the last answer is lost", async () => {
      const slow = { kind: "refuse", status: 503, code: "SlowDown" } as const;
      proxy.add({ method: "PUT", target: /partNumber=2/, times: 2, fault: slow });
      proxy.add({ method: "POST", target: /uploadId=/, fault: { kind: "drop-answer" } });
      await store.put("large", bytes);
      expect(count(/^PUT .*partNumber=2/)).toBeGreaterThanOrEqual(3);
      expect(count(/^PUT .*partNumber=5/)).toBeGreaterThanOrEqual(1);
      expect(count(/^PUT .*partNumber=6/)).toBe(0);
      expect(Buffer.compare(await store.get("large"), bytes)).toBe(0);
      expect(await uploadsLeft()).toBe(0);
    });

    it("leave nothing when a part is refused for good", async () => {
      const denied = { kind: "refuse", status: 403, code: "AccessDenied" } as const;
      proxy.add({ method: "PUT", target: /partNumber=3/, times: 99, fault: denied });
      await expect(store.put("refused", bytes)).rejects.toMatchObject({ code: "DELTA_ACCESS_DENIED" });
      expect(count(/^DELETE .*uploadId=/)).toBe(1);
      expect(await store.head("refused")).toBeUndefined();
      expect(await uploadsLeft()).toBe(0);
    });

    it("leave nothing when the caller's signal fires", async () => {
      const stop = new AbortController();
      proxy.add({ method: "PUT", target: /partNumber=3/, fault: { kind: "silence" } });
      const putting = store.put("stopped", bytes, stop.signal);
      while (count(/^PUT .*partNumber=3/) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      stop.abort();
      await expect(putting).rejects.toMatchObject({ code: "DELTA_ABORTED" });
      expect(await store.head("stopped")).toBeUndefined();
      expect(await uploadsLeft()).toBe(0);
    });

    it("are claimed by putIfAbsent in one request, too", async () => {
      expect(await store.putIfAbsent("claimed", bytes)).toBe("created");
      expect(await store.putIfAbsent("claimed", bytes.subarray(0, 10))).toBe("exists");
      expect(proxy.requests).toHaveLength(2);
      expect(await store.head("claimed")).toMatchObject({ sizeBytes: bytes.length });
    });
  });
}
