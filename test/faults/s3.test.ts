import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { replaceRuntime, runtime } from "#src/runtime.js";
import { s3Store } from "#src/storage/s3.js";
import { run } from "../cli/command.js";
import { expectCode } from "../expectCode.js";
import { type AlteredAnswer, type Fault, type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

const LEAK_CHILD = fileURLToPath(new URL("s3LeakChild.mjs", import.meta.url));
const COMMITS = /_delta_log\/\d{20}\.json/;
const ALWAYS = Number.POSITIVE_INFINITY;

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`what may come between a table and S3 on ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    let proxy: FaultProxy;
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
      restore = replaceRuntime({ sleep: async () => {} });
    });
    afterEach(() => {
      restore();
      proxy.reset();
    });

    const location = () => `s3://${server.bucket}/${runtime.randomUUID()}`;
    const s3 = (more = {}) => ({ ...server.options, endpoint: proxy.endpoint, ...more });
    const open = (url: string, more = {}) => Table.open<{ id: bigint }>(url, { s3: s3(more) });
    const alter = (change: (answer: AlteredAnswer) => AlteredAnswer): Fault => ({ kind: "alter", change });
    const half = alter((answer) => ({ ...answer, body: answer.body.subarray(0, answer.body.length >> 1) }));

    async function filled(commits: number): Promise<string> {
      const url = location();
      const table = Table.open<{ id: bigint }>(url, { s3: server.options });
      for (let id = 0; id < commits; id++) await table.append([{ id: BigInt(id) }]);
      return url;
    }
    const ids = async (table: Table<{ id: bigint }>) =>
      (await table.toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);

    it("answers that never come, after the effect and before, cost time and nothing else", async () => {
      const table = open(location(), { timeoutMs: 150 });
      proxy.add({ method: "PUT", target: COMMITS, fault: { kind: "swallow-answer" } });
      expect((await table.append([{ id: 0n }])).version).toBe(0);
      proxy.add({ method: "PUT", target: /\.parquet/, fault: { kind: "swallow-answer" } });
      proxy.add({ method: "PUT", target: COMMITS, fault: { kind: "silence" } });
      expect((await table.append([{ id: 1n }])).version).toBe(1);
      proxy.add({ method: "GET", target: /\.parquet/, fault: { kind: "silence" } });
      expect(await ids(table)).toEqual([0, 1]);
    });

    it("bodies that are cut on the way, their lengths made to fit, are never taken for the whole", async () => {
      const url = await filled(3);
      for (const target of [COMMITS, /list-type=2/, /\.parquet/]) {
        proxy.reset();
        proxy.add({ method: "GET", target, times: 2, fault: half });
        expect(await ids(open(url))).toEqual([0, 1, 2]);
        proxy.reset();
        proxy.add({ method: "GET", target, times: ALWAYS, fault: half });
        await expectCode("DELTA_STORAGE_UNAVAILABLE", () => open(url).toArray());
      }
    });

    it("a listing that lacks keys it announced is asked for again", async () => {
      const url = await filled(3);
      const fault = alter((answer) => ({
        ...answer,
        body: Buffer.from(answer.body.toString().replace(/<Contents>.*?<\/Contents>/s, "")),
      }));
      proxy.add({ method: "GET", target: /list-type=2/, times: 3, fault });
      expect(await ids(open(url))).toEqual([0, 1, 2]);
      expect(proxy.requests.filter((request) => /list-type=2/.test(request))).toHaveLength(4);
    });

    it("wrong ETags change nothing for what is put and read at once", async () => {
      const fault = alter((answer) => ({ ...answer, headers: { ...answer.headers, etag: '"0123456789abcdef-7"' } }));
      proxy.add({ times: ALWAYS, fault });
      const table = open(location());
      for (let id = 0; id < 3; id++) await table.append([{ id: BigInt(id) }]);
      await table.checkpoint();
      expect(await ids(table)).toEqual([0, 1, 2]);
    });

    it("wrong ETags of parts are found by the server: the object is written anew, or not at all", async () => {
      const fault = alter((answer) => ({
        ...answer,
        headers: { ...answer.headers, etag: '"00000000000000000000000000000000"' },
      }));
      await using store = s3Store(location(), s3());
      const bytes = new Uint8Array(65 * 1024 * 1024);
      proxy.add({ method: "PUT", target: /partNumber=2/, times: 1, fault });
      await store.putNew("large", [bytes]);
      expect(await store.head("large")).toMatchObject({ sizeBytes: bytes.length });
      proxy.reset();
      proxy.add({ method: "PUT", target: /partNumber=2/, times: ALWAYS, fault });
      await expectCode("DELTA_STORAGE_FAILED", () => store.putNew("never", [bytes]));
      expect(await store.head("never")).toBeUndefined();
      expect(proxy.requests.filter((request) => /^DELETE .*never\?.*uploadId/.test(request))).toHaveLength(2);
    });

    it("a sign-in page in place of the upload's answers never passes for an upload", async () => {
      await using store = s3Store(location(), s3());
      const bytes = new Uint8Array(65 * 1024 * 1024);
      const page: Fault = {
        kind: "answer",
        status: 200,
        headers: { "content-type": "text/html" },
        body: "<p>Hello</p>",
      };
      proxy.add({ method: "POST", times: 2, fault: page });
      proxy.add({ method: "PUT", target: /partNumber=1/, fault: page });
      proxy.add({ method: "POST", after: 3, times: 2, fault: page });
      await store.putNew("large", [bytes]);
      expect(await store.head("large")).toMatchObject({ sizeBytes: bytes.length });
    });

    it("a clock that is an hour off is set right by the server's first answer", async () => {
      const serverMs = Date.now() + 3_600_000;
      const body = "<Error><Code>RequestTimeTooSkewed</Code><Message>no</Message></Error>";
      const headers = { date: new Date(serverMs).toUTCString(), "content-type": "application/xml" };
      proxy.add({ fault: { kind: "answer", status: 403, headers, body } });
      await open(location())
        .version()
        .catch(() => undefined);
      const sent = String(proxy.headers[1]!["x-amz-date"]);
      const ms = Date.parse(sent.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
      expect(Math.abs(ms - serverMs)).toBeLessThan(600_000);
    });

    it("credentials that expire are asked for anew, in the middle of an append too; keys given as values are not", async () => {
      let asked = 0;
      const credentials = async () => {
        asked++;
        return server.credentials;
      };
      const table = open(location(), { credentials });
      await table.append([{ id: 0n }]);
      for (const target of [/\.parquet/, COMMITS]) {
        proxy.add({ method: "PUT", target, fault: { kind: "refuse", status: 400, code: "ExpiredToken" } });
      }
      expect((await table.append([{ id: 1n }])).version).toBe(1);
      expect(asked).toBe(3);
      expect(await ids(table)).toEqual([0, 1]);
      proxy.reset();
      const fixed = open(table.url);
      proxy.add({ times: ALWAYS, fault: { kind: "refuse", status: 403, code: "ExpiredToken" } });
      await expectCode("DELTA_ACCESS_DENIED", () => fixed.append([{ id: 2n }]));
      expect(proxy.requests).toHaveLength(1);
    });

    it("a bucket in another region is told with the region", async () => {
      const fault: Fault = { kind: "answer", status: 301, headers: { "x-amz-bucket-region": "eu-west-1" }, body: "" };
      proxy.add({ times: ALWAYS, fault });
      const error = await expectCode("DELTA_STORAGE_FAILED", () => open(location()).version());
      expect(error.data.bucketRegion).toBe("eu-west-1");
      expect(proxy.requests).toHaveLength(1);
    });

    it("the command says what it was, ends with 1 and leaves nothing", async () => {
      const url = await filled(1);
      const env = { ...server.env, AWS_ENDPOINT_URL: proxy.endpoint };
      const append = () => run(["append", url, "--format", "jsonl", "--json", "-"], '{"id":1}\n', { env });
      proxy.add({ method: "PUT", target: COMMITS, fault: { kind: "refuse", status: 403, code: "AccessDenied" } });
      const { code, stdout, stderr } = await append();
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error).toMatchObject({
        code: "DELTA_ACCESS_DENIED",
        kind: "fix-environment",
      });
      await using store = s3Store(url, server.options);
      expect(await store.listNames("")).toHaveLength(1);
      expect((await append()).code).toBe(0);
      expect(await ids(open(url))).toEqual([0, 1]);
    });

    it("nothing is left over of requests that failed: no socket, timer, descriptor or rejection", async () => {
      const faults: Record<string, Fault> = {
        silent: { kind: "silence" },
        swallowed: { kind: "swallow-answer" },
        reset: { kind: "reset" },
        cut: { kind: "cut-answer" },
        refused: { kind: "refuse", status: 503, code: "SlowDown" },
        denied: { kind: "refuse", status: 403, code: "AccessDenied" },
        page: { kind: "answer", status: 200, headers: {}, body: "<p>Hello</p>" },
      };
      const id = runtime.randomUUID();
      for (const [name, fault] of Object.entries(faults)) {
        proxy.add({ target: new RegExp(`${name}-${id}`), times: ALWAYS, fault });
      }
      const names = Object.keys(faults).map((name) => `${name}-${id}`);
      const report = await reportOf({ names, bucket: server.bucket, s3: s3({ timeoutMs: 50 }) });
      expect(report.unhandled).toEqual([]);
      expect(report.after).toEqual(report.before);
      for (const name of names) {
        const code = name.startsWith("denied") ? "DELTA_ACCESS_DENIED" : "DELTA_STORAGE_UNAVAILABLE";
        expect(report.outcomes[name]).toMatchObject({ append: code, read: code });
      }
      while (proxy.sockets() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    });
  });
}

interface LeakReport {
  readonly outcomes: Record<string, { append: string; read: string; aborted: string }>;
  readonly before: object;
  readonly after: object;
  readonly unhandled: string[];
}

async function reportOf(argument: object): Promise<LeakReport> {
  const child = spawn(process.execPath, [LEAK_CHILD, JSON.stringify(argument)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  for await (const chunk of child.stdout) printed += chunk;
  return JSON.parse(printed);
}
