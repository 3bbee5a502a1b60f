import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { replaceRuntime, runtime } from "#src/runtime.js";
import { s3Store } from "#src/storage/s3.js";
import type { ObjectStore } from "#src/storage/store.js";
import { type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

const text = (value: string) => new TextEncoder().encode(value);
const string = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const BODY = "0123456789".repeat(5000);

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`faults between S3 on ${choice.name} and the store${choice.skip ?? ""}`, () => {
    let server: S3Server;
    let proxy: FaultProxy;
    let store: ObjectStore;
    let tests = 0;
    let delays: number[] = [];
    let restore = () => {};

    beforeAll(async () => {
      server = await choice.start();
      proxy = await startFaultProxy(server.endpoint);
    });
    afterAll(async () => {
      await proxy?.close();
      await server?.stop();
    });
    beforeEach(() => {
      proxy.reset();
      delays = [];
      const { sleep } = runtime;
      restore = replaceRuntime({
        sleep: (ms, signal) => {
          delays.push(ms);
          return sleep(0, signal);
        },
      });
      store = open();
    });
    afterEach(async () => {
      restore();
      await store[Symbol.asyncDispose]();
    });

    function open(options: { maxConcurrentRequests?: number; timeoutMs?: number } = {}): ObjectStore {
      const location = `s3://${server.bucket}/faults-${tests++}`;
      return s3Store(location, { ...server.options, endpoint: proxy.endpoint, ...options });
    }

    const puts = () => proxy.requests.filter((request) => request.startsWith("PUT "));

    describe("putIfAbsent makes one attempt and says what is known", () => {
      it("unknown when the answer is lost, and the object is there", async () => {
        proxy.add({ method: "PUT", target: /claim/, fault: { kind: "drop-answer" } });
        expect(await store.putIfAbsent("claim", text("mine"))).toBe("unknown");
        expect(puts()).toHaveLength(1);
        expect(string(await store.get("claim"))).toBe("mine");
        expect(await store.putIfAbsent("claim", text("mine"))).toBe("exists");
      });

      it.each([500, 502, 503, 504])(
        "unknown when the answer is turned into %i, and the object is there",
        async (status) => {
          proxy.add({
            method: "PUT",
            target: /claim/,
            fault: { kind: "replace-answer", status, code: "InternalError" },
          });
          expect(await store.putIfAbsent("claim", text("mine"))).toBe("unknown");
          expect(puts()).toHaveLength(1);
          expect(string(await store.get("claim"))).toBe("mine");
        },
      );

      it.each([
        [409, "ConditionalRequestConflict"],
        [503, "SlowDown"],
        [500, "InternalError"],
        [429, "TooManyRequests"],
        [400, "RequestTimeout"],
        [403, "RequestTimeTooSkewed"],
      ] as const)("unknown on %i %s, and the object isn't there; a second try makes it", async (status, code) => {
        proxy.add({ method: "PUT", target: /claim/, fault: { kind: "refuse", status, code } });
        expect(await store.putIfAbsent("claim", text("mine"))).toBe("unknown");
        expect(puts()).toHaveLength(1);
        expect(await store.head("claim")).toBeUndefined();
        expect(await store.putIfAbsent("claim", text("mine"))).toBe("created");
      });

      it.each(["reset", "cut-request"] as const)("unknown after %s, and the object isn't there", async (kind) => {
        proxy.add({ method: "PUT", target: /claim/, fault: { kind } });
        expect(await store.putIfAbsent("claim", text(BODY))).toBe("unknown");
        expect(puts()).toHaveLength(1);
        expect(await store.head("claim")).toBeUndefined();
      });

      it("unknown when no answer comes in time", async () => {
        await using impatient = open({ timeoutMs: 200 });
        proxy.add({ method: "PUT", target: /claim/, fault: { kind: "silence" } });
        expect(await impatient.putIfAbsent("claim", text("mine"))).toBe("unknown");
        expect(puts()).toHaveLength(1);
      });

      it("unknown when the caller's signal fires while it is under way", async () => {
        const stop = new AbortController();
        proxy.add({ method: "PUT", target: /claim/, fault: { kind: "silence" } });
        const outcome = store.putIfAbsent("claim", text("mine"), stop.signal);
        await until(() => puts().length === 1);
        stop.abort();
        expect(await outcome).toBe("unknown");
      });

      it("exists on 412, whoever made the object", async () => {
        expect(await store.putIfAbsent("claim", text("theirs"))).toBe("created");
        expect(await store.putIfAbsent("claim", text("mine"))).toBe("exists");
        expect(puts()).toHaveLength(2);
      });

      it.each([
        [403, "AccessDenied", "DELTA_ACCESS_DENIED"],
        [404, "NoSuchBucket", "DELTA_STORAGE_FAILED"],
        [400, "ExpiredToken", "DELTA_ACCESS_DENIED"],
        [400, "InvalidArgument", "DELTA_STORAGE_FAILED"],
        [409, "ObjectParentIsFile", "DELTA_STORAGE_FAILED"],
        [501, "NotImplemented", "DELTA_STORAGE_FAILED"],
      ] as const)("throws on %i %s", async (status, code, expected) => {
        proxy.add({ method: "PUT", target: /claim/, times: 99, fault: { kind: "refuse", status, code } });
        await expect(store.putIfAbsent("claim", text("mine"))).rejects.toMatchObject({ code: expected });
        expect(puts()).toHaveLength(1);
      });
    });

    describe("what may be repeated is", () => {
      it("get, when the body is cut", async () => {
        await store.put("data", text(BODY));
        proxy.add({ method: "GET", target: /data/, times: 2, fault: { kind: "cut-answer" } });
        expect(string(await store.get("data"))).toBe(BODY);
        proxy.add({ method: "GET", target: /data/, times: 2, fault: { kind: "cut-answer" } });
        expect(string(await store.get("data", { start: 10, end: 30_010 }))).toBe(BODY.slice(10, 30_010));
        expect(proxy.requests.filter((request) => request.startsWith("GET"))).toHaveLength(6);
      });

      it("get, when no answer comes in time", async () => {
        await using impatient = open({ timeoutMs: 200 });
        await impatient.put("data", text(BODY));
        proxy.add({ method: "GET", target: /data/, fault: { kind: "silence" } });
        expect(string(await impatient.get("data"))).toBe(BODY);
      });

      it.each([
        { kind: "refuse", status: 503, code: "SlowDown" },
        { kind: "refuse", status: 500, code: "InternalError" },
        { kind: "reset" },
        { kind: "drop-answer" },
        { kind: "replace-answer", status: 500, code: "InternalError" },
      ] as const)("every verb but putIfAbsent, after %o", async (fault) => {
        proxy.add({ method: "PUT", target: /data/, times: 3, fault });
        await store.put("data", text(BODY));
        expect(puts()).toHaveLength(4);
        proxy.add({ method: "HEAD", target: /data/, times: 3, fault });
        expect(await store.head("data")).toMatchObject({ sizeBytes: BODY.length });
        proxy.add({ method: "GET", target: /list-type=2/, times: 3, fault });
        expect(await store.listNames("")).toEqual(["data"]);
        proxy.add({ method: "GET", target: /data\?x-id=GetObject/, times: 3, fault });
        expect(string(await store.get("data"))).toBe(BODY);
        proxy.add({ method: "DELETE", target: /data/, times: 3, fault });
        await store.delete("data");
        expect(await store.head("data")).toBeUndefined();
        expect(delays).toHaveLength(15);
      });

      it("a bounded number of times, after growing random delays", async () => {
        proxy.add({
          method: "GET",
          target: /data/,
          times: 99,
          fault: { kind: "refuse", status: 503, code: "SlowDown" },
        });
        const restoreRandom = replaceRuntime({ random: () => 0.5 });
        await expect(store.get("data")).rejects.toMatchObject({
          code: "DELTA_STORAGE_UNAVAILABLE",
          kind: "retry",
          data: { name: "SlowDown", status: 503 },
        });
        restoreRandom();
        expect(proxy.requests).toHaveLength(7);
        expect(delays).toEqual([50, 100, 200, 400, 800, 1600]);
      });

      it("never as short bytes", async () => {
        await store.put("data", text(BODY));
        proxy.add({ method: "GET", target: /data/, times: 99, fault: { kind: "cut-answer" } });
        await expect(store.get("data")).rejects.toMatchObject({ code: "DELTA_STORAGE_UNAVAILABLE" });
      });

      it("not when the server says no", async () => {
        for (const [status, code, expected] of [
          [403, "AccessDenied", "DELTA_ACCESS_DENIED"],
          [404, "NoSuchBucket", "DELTA_STORAGE_FAILED"],
          [404, "NoSuchKey", "DELTA_FILE_NOT_FOUND"],
          [400, "InvalidRequest", "DELTA_STORAGE_FAILED"],
        ] as const) {
          proxy.reset();
          proxy.add({ method: "GET", target: /data/, times: 99, fault: { kind: "refuse", status, code } });
          await expect(store.get("data")).rejects.toMatchObject({ code: expected });
          expect(proxy.requests).toHaveLength(1);
        }
      });
    });

    describe("a signal", () => {
      it("ends a request under way and its connection", async () => {
        const stop = new AbortController();
        proxy.add({ method: "GET", target: /data/, fault: { kind: "silence" } });
        const reading = store.get("data", undefined, stop.signal);
        await until(() => proxy.requests.length === 1);
        stop.abort(new Error("enough"));
        await expect(reading).rejects.toMatchObject({ code: "DELTA_ABORTED", cause: { message: "enough" } });
        await until(() => proxy.sockets() === 0);
      });

      it("ends the wait before a repetition", async () => {
        const stop = new AbortController();
        const restoreSleep = replaceRuntime({
          sleep: (_ms, signal) =>
            new Promise((_, reject) => {
              signal?.addEventListener("abort", () => reject(signal.reason));
              stop.abort();
            }),
        });
        proxy.add({ method: "GET", target: /data/, fault: { kind: "refuse", status: 503, code: "SlowDown" } });
        const reading = store.get("data", undefined, stop.signal);
        await expect(reading).rejects.toMatchObject({ code: "DELTA_ABORTED" });
        expect(proxy.requests).toHaveLength(1);
        restoreSleep();
      });
    });

    describe("many requests at once", () => {
      it("are at most maxConcurrentRequests on the wire", async () => {
        await using narrow = open({ maxConcurrentRequests: 3 });
        restore();
        proxy.add({ method: "PUT", target: /many/, times: 20, fault: { kind: "delay", ms: 20 } });
        await Promise.all(Array.from({ length: 20 }, (_, i) => narrow.put(`many/${i}`, text("x"))));
        expect(proxy.peak()).toBe(3);
        expect(proxy.sockets()).toBeLessThanOrEqual(3);
        expect(await narrow.listNames("many/")).toHaveLength(20);
      });

      it("leave no connections behind when throttled", async () => {
        await using narrow = open({ maxConcurrentRequests: 4 });
        const refuse = { kind: "refuse", status: 503, code: "SlowDown" } as const;
        proxy.add({ method: "PUT", target: /many/, times: 200, fault: refuse });
        const outcomes = await Promise.allSettled(
          Array.from({ length: 50 }, (_, i) => narrow.put(`many/${i}`, text("x"))),
        );
        expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
        expect(proxy.peak()).toBeLessThanOrEqual(4);
        expect(proxy.sockets()).toBeLessThanOrEqual(4);
        await narrow[Symbol.asyncDispose]();
        await until(() => proxy.sockets() === 0);
        await expect(narrow.head("many/0")).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
      });
    });
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
