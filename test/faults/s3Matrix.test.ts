import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DeltaError, type ErrorCode, Table } from "#src/index.js";
import { replaceRuntime, runtime } from "#src/runtime.js";
import { type Fault, type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

type Row = { id: bigint };

/** A fault, whether asking again helps, and what the caller is told where it never ends. */
interface FaultRow {
  readonly fault: Fault;
  readonly passes: boolean;
  readonly code: ErrorCode;
  /** The same of a HEAD, whose answer has no body to name the error. */
  readonly nameless?: ErrorCode;
}

const refuse = (status: number, code: string): Fault => ({ kind: "refuse", status, code });
const html = (status: number, headers = {}): Fault => ({
  kind: "answer",
  status,
  headers: { "content-type": "text/html", ...headers },
  body: "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please sign in</p></body></html>",
});
const xml = (status: number, body: string): Fault => ({
  kind: "answer",
  status,
  headers: { "content-type": "application/xml" },
  body,
});
const passes = (fault: Fault, code: ErrorCode = "DELTA_STORAGE_UNAVAILABLE"): FaultRow => ({
  fault,
  passes: true,
  code,
});
const stays = (fault: Fault, code: ErrorCode): FaultRow => ({ fault, passes: false, code });

const FAULTS: Record<string, FaultRow> = {
  "500 InternalError": passes(refuse(500, "InternalError")),
  "500 after the effect": passes({ kind: "replace-answer", status: 500, code: "InternalError" }),
  "503 SlowDown": passes(refuse(503, "SlowDown")),
  "an answer that is lost after the effect": passes({ kind: "drop-answer" }),
  "a reset": passes({ kind: "reset" }),
  "a request that is cut": passes({ kind: "cut-request" }),
  "an answer that is cut": passes({ kind: "cut-answer" }),
  "409 ConditionalRequestConflict": {
    ...passes(refuse(409, "ConditionalRequestConflict")),
    nameless: "DELTA_STORAGE_FAILED",
  },
  "a clock that is wrong": {
    ...passes(refuse(403, "RequestTimeTooSkewed"), "DELTA_ACCESS_DENIED"),
    nameless: "DELTA_ACCESS_DENIED",
  },
  "200 with a sign-in page": passes(html(200)),
  "200 with nothing": passes(xml(200, "")),
  "302 to a sign-in page": passes(html(302, { location: "http://127.0.0.1:9/login" })),
  "404 of a proxy": passes(html(404)),
  "500 with half an error": passes(xml(500, "<Error><Code>Inter")),
  "200 with what isn't XML": passes(xml(200, "\u0000\u0001<<>>&& no XML")),
  "400 ExpiredToken": stays(refuse(400, "ExpiredToken"), "DELTA_ACCESS_DENIED"),
  "403 ExpiredToken": stays(refuse(403, "ExpiredToken"), "DELTA_ACCESS_DENIED"),
  "403 AccessDenied": stays(refuse(403, "AccessDenied"), "DELTA_ACCESS_DENIED"),
  "301 PermanentRedirect": stays(refuse(301, "PermanentRedirect"), "DELTA_STORAGE_FAILED"),
  "400 AuthorizationHeaderMalformed": {
    ...stays(refuse(400, "AuthorizationHeaderMalformed"), "DELTA_STORAGE_FAILED"),
    nameless: "DELTA_ACCESS_DENIED",
  },
  "404 NoSuchBucket": stays(refuse(404, "NoSuchBucket"), "DELTA_STORAGE_FAILED"),
};

const KINDS: Partial<Record<ErrorCode, string>> = {
  DELTA_STORAGE_UNAVAILABLE: "retry",
  DELTA_COMMIT_OUTCOME_UNKNOWN: "retry",
  DELTA_ACCESS_DENIED: "fix-environment",
  DELTA_STORAGE_FAILED: "fix-environment",
};

interface Verb {
  /** Whether the handle knows the table when the fault comes. */
  readonly known?: boolean;
  /** Does it, and gives what it should; for an append the id is given. */
  readonly run: (table: Table<Row>, id: number) => Promise<unknown>;
  /** What it answers; undefined for an append of the id. */
  readonly answer?: unknown;
  /** Whether it meets all faults; else one of each sort. */
  readonly all?: boolean;
}

const ONE_OF_EACH_SORT = [
  "503 SlowDown",
  "an answer that is lost after the effect",
  "an answer that is cut",
  "200 with a sign-in page",
  "404 of a proxy",
  "400 ExpiredToken",
];

const properties = { "delta.checkpointInterval": "4" };
const append = (table: Table<Row>, id: number) =>
  table.append([{ id: BigInt(id) }], { txn: { appId: `job ${id}`, version: 1 } });
const ids = async (rows: Promise<Row[]>) => (await rows).map((row) => Number(row.id)).sort((a, b) => a - b);

const VERBS: Record<string, Verb> = {
  "an append by a new handle": { run: append, all: true },
  "an append by an old handle": { known: true, run: append },
  "a checkpoint": { run: async (table) => (await table.checkpoint()).version, answer: 5 },
  "a read": { run: (table) => ids(table.toArray()), answer: [0, 1, 2, 3, 4, 5] },
  "time travel": { run: (table) => ids(table.at(2).toArray()), answer: [0, 1, 2] },
};

// All faults are the proxy's, so one server is enough.
const choices = await s3Servers();
const choice = choices.find(({ skip }) => skip === undefined) ?? choices[0]!;

describe.skipIf(choice.skip)(`each request of a table fails in turn, S3 on ${choice.name}${choice.skip ?? ""}`, () => {
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
    // Its pauses are the store's matter; that they are made is seen in its own tests.
    restore = replaceRuntime({ sleep: async () => {}, warn: () => {} });
  });
  afterEach(() => {
    restore();
    proxy.reset();
  });

  const location = () => `s3://${server.bucket}/${runtime.randomUUID()}`;
  const direct = (url: string) => Table.open<Row>(url, { s3: server.options });
  const through = (url: string) => Table.open<Row>(url, { s3: { ...server.options, endpoint: proxy.endpoint } });

  /** The ids in the table as somebody else finds them: each file holds one row, so its statistics tell. */
  async function found(url: string): Promise<number[]> {
    await using table = direct(url);
    const files = await table.files().catch((error) => {
      if (error.code === "DELTA_TABLE_NOT_FOUND") return [];
      throw error;
    });
    return files.map(({ stats }) => JSON.parse(stats ?? "").minValues.id).sort((a, b) => a - b);
  }

  /** Ends what a fault made of a verb: its error, which must be one of ours. */
  async function outcomeOf(running: Promise<unknown>): Promise<{ value?: unknown; error?: DeltaError }> {
    try {
      return { value: await running };
    } catch (error) {
      if (!(error instanceof DeltaError)) throw error;
      return { error };
    }
  }

  function checkError(row: FaultRow, error: DeltaError, request: string, mayBeCommitted: boolean): void {
    const code = request.startsWith("HEAD ") ? (row.nameless ?? row.code) : row.code;
    const codes = mayBeCommitted && row.passes ? [code, "DELTA_COMMIT_OUTCOME_UNKNOWN"] : [code];
    expect(codes, `${request}: ${error.message}`).toContain(error.code);
    expect(error.kind).toBe(KINDS[error.code]);
  }

  /** The ids of a table, and where it is. */
  interface Subject {
    readonly url: string;
    readonly ids: number[];
  }

  /** The requests `first` to `first + times - 1` of the verb go wrong; false where it makes none of them. */
  async function attempt(subject: Subject, verb: Verb, row: FaultRow, first: number, times: number): Promise<boolean> {
    const { url, ids: before } = subject;
    const table = through(url);
    const appends = verb.answer === undefined;
    const id = before.length;
    if (verb.known) await table.version();
    proxy.reset();
    proxy.add({ after: first, times, fault: row.fault });
    const { value, error } = await outcomeOf(verb.run(table, id));
    const request = proxy.requests[first];
    proxy.reset();
    if (error) {
      expect(request).toBeDefined();
      const helps = times === 1 && row.passes && !(row.nameless && request?.startsWith("HEAD "));
      expect(helps, `${request}: ${error.message}`).toBe(false);
      checkError(row, error, request ?? "", appends);
    } else if (!appends) expect(value).toEqual(verb.answer);
    if (error && appends) {
      const unknown = error.code === "DELTA_COMMIT_OUTCOME_UNKNOWN";
      expect(unknown ? [before, [...before, id]] : [before]).toContainEqual(await found(url));
    }
    // The next run works on the same handle, and the rows are there once.
    const next = await verb.run(table, id);
    if (appends) {
      before.push(id);
      expect(await found(url)).toEqual(before);
    } else expect(next).toEqual(verb.answer);
    await table[Symbol.asyncDispose]();
    return request !== undefined;
  }

  for (const [verbName, verb] of Object.entries(VERBS)) {
    describe(verbName, () => {
      let subject: Subject;
      beforeAll(async () => {
        subject = { url: location(), ids: [] };
        await using table = direct(subject.url);
        for (let id = 0; id < 6; id++) {
          await table.append([{ id: BigInt(id) }], id === 0 ? { properties } : {});
          subject.ids.push(id);
        }
      });

      it.each(verb.all ? Object.keys(FAULTS) : ONE_OF_EACH_SORT)("%s", async (name) => {
        const row = FAULTS[name]!;
        let requests = 0;
        while (await attempt(subject, verb, row, requests, row.passes ? 1 : Number.POSITIVE_INFINITY)) requests++;
        expect(requests).toBeGreaterThan(1);
        if (!row.passes || !ONE_OF_EACH_SORT.includes(name)) return;
        // Without end, from the beginning and at the last request: an append's claim, or the checkpoint after it.
        for (const first of [0, requests - 1]) await attempt(subject, verb, row, first, Number.POSITIVE_INFINITY);
      });
    });
  }

  it.each(ONE_OF_EACH_SORT)("a table is created once or not at all: %s", async (name) => {
    const verb = VERBS["an append by a new handle"]!;
    let hit = true;
    for (let first = 0; hit; first++) hit = await attempt({ url: location(), ids: [] }, verb, FAULTS[name]!, first, 1);
  });
});
