import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeltaError } from "#src/errors.js";
import { Table } from "#src/index.js";
import { openStore } from "#src/storage/open.js";
import { textWithoutSecrets } from "#src/storage/secrets.js";
import type { ObjectStore } from "#src/storage/store.js";
import { failed, run } from "../cli/command.js";
import { freshLocation } from "./tables.js";

const SECRETS = {
  accessKeyId: "AKIAHOSTILEHOSTILE00",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYHOSTILEKEY",
  sessionToken: `IQoJb3JpZ2luX2VjE${"Zx8/+Q=".repeat(40)}HOSTILETOKEN`,
};

/** All that can be got out of an error: its text, its facts, its trace, its causes. */
function everything(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at !== undefined && at !== null; at = at instanceof Error ? at.cause : undefined) {
    texts.push(inspect(at, { depth: 20, showHidden: true }), JSON.stringify(at) ?? "");
    if (at instanceof Error) texts.push(at.message, at.stack ?? "");
    if (at instanceof DeltaError) texts.push(JSON.stringify(at.data));
  }
  return texts.join("\n");
}

function expectNoSecret(text: string, ...secrets: readonly string[]): void {
  for (const secret of secrets) expect(text.includes(secret), `${secret} in: ${text}`).toBe(false);
}

describe("a server that sends back what it was sent", () => {
  let server: Server;
  let answer: (request: IncomingMessage) => { status: number; headers?: Record<string, string>; body: string };
  let store: ObjectStore;

  beforeEach(async () => {
    server = createServer((request, response) => {
      request.resume();
      const { status, headers = {}, body } = answer(request);
      response.writeHead(status, { "content-type": "application/xml", ...headers });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    store = openStore("s3://bucket/t", { s3: { endpoint, region: "us-east-1", credentials: SECRETS } });
  });

  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const echo = ({ headers, url }: IncomingMessage) =>
    `${url} authorization: ${headers.authorization} x-amz-security-token: ${headers["x-amz-security-token"]}`;
  const xml = (code: string, message: string) => `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;

  test.each([400, 403, 404, 409, 412, 418, 501])("with %i: no error tells what", async (status) => {
    let seen = "";
    answer = (request) => {
      seen = echo(request);
      return { status, body: xml("SomeCode", seen) };
    };
    const error = await store.put("x", Uint8Array.of(1)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DeltaError);
    expect(seen).toContain(SECRETS.sessionToken);
    const signature = /Signature=([0-9a-f]+)/.exec(seen)![1]!;
    expectNoSecret(everything(error), SECRETS.secretAccessKey, SECRETS.sessionToken, signature);
  });

  test("in its names and headers: neither", async () => {
    answer = ({ headers }) => {
      const token = String(headers["x-amz-security-token"]);
      return {
        status: 403,
        headers: { "x-amz-request-id": token, "x-amz-bucket-region": token },
        body: xml(token, ""),
      };
    };
    const error = await store.put("x", Uint8Array.of(1)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "DELTA_ACCESS_DENIED" });
    expectNoSecret(everything(error), SECRETS.sessionToken, "HOSTILETOKEN");
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
    "an error called %s is one like any other",
    async (code) => {
      answer = () => ({ status: 400, body: xml(code, "x") });
      const error = await store.put("x", Uint8Array.of(1)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "DELTA_STORAGE_FAILED", kind: "fix-environment" });
    },
  );

  test("a failing source of credentials", async () => {
    const credentials = () => Promise.reject(new Error(`secretAccessKey=${SECRETS.secretAccessKey} is wrong`));
    const failing = openStore("s3://bucket/t", { s3: { endpoint: "http://127.0.0.1:9", credentials } });
    const error = await failing.put("x", Uint8Array.of(1)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DeltaError);
    expectNoSecret(everything(error), SECRETS.secretAccessKey);
  });
});

describe("a location", () => {
  const PASSWORD = "pa55w0rd";
  test.each([
    `s3://user:${PASSWORD}@bucket/t`,
    `s3://${PASSWORD}@bucket/t`,
    `S3A://user:p@${PASSWORD}@bucket/t`,
    `s3://user:${PASSWORD}@bucket/%zz`,
    `https://user:${PASSWORD}@example.org/t`,
    `https://user:x@${PASSWORD}@example.org/t`,
    `https://bucket.s3.amazonaws.com/t?X-Amz-Signature=${PASSWORD}&X-Amz-Credential=x`,
    `https://example.org/t#${PASSWORD}`,
    `wasbs://c@account.blob.core.windows.net/t?sig=${PASSWORD}`,
    `jdbc:postgresql://user:${PASSWORD}@host/db`,
    `gs://user:${PASSWORD}@bucket`,
  ])("%s is refused without repeating what could be a password", async (location) => {
    for (const given of [location, ...(URL.canParse(location) ? [new URL(location)] : [])]) {
      let error: unknown;
      try {
        Table.open(given);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: "DELTA_UNSUPPORTED_URL" });
      expectNoSecret(everything(error), PASSWORD);
    }
    for (const args of [
      ["read", location],
      ["read", location, "--json"],
    ]) {
      const { stdout, stderr } = await run(args);
      expectNoSecret(stdout + stderr, PASSWORD);
    }
  });

  test("an endpoint with a password is refused likewise", async () => {
    const endpoint = `http://user:${PASSWORD}@127.0.0.1:9`;
    const store = () => openStore("s3://bucket/t", { s3: { endpoint } });
    let error: unknown;
    try {
      store();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    expectNoSecret(everything(error), PASSWORD);
    const told = await failed(1, ["read", "s3://bucket/t"], "", { env: { AWS_ENDPOINT_URL: endpoint } });
    expectNoSecret(JSON.stringify(told), PASSWORD);
  });
});

describe("what the environment holds", () => {
  test("is in no commit and no error", async () => {
    const location = freshLocation();
    const env = { AWS_SECRET_ACCESS_KEY: SECRETS.secretAccessKey, AWS_SESSION_TOKEN: SECRETS.sessionToken };
    const before = { ...process.env };
    Object.assign(process.env, env);
    try {
      const table = Table.open(location);
      await table.append([{ id: 1n }], { userMetadata: "note" });
      const store = openStore(location);
      const commit = Buffer.from(await store.get("_delta_log/00000000000000000000.json")).toString();
      expect(commit).toContain("note");
      expectNoSecret(commit, ...Object.values(env));
      const error = await table
        .scan({ columns: ["x"] as never })
        .count()
        .catch((thrown: unknown) => thrown);
      expectNoSecret(everything(error), ...Object.values(env));
    } finally {
      for (const name of Object.keys(env)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});

test.each([
  [
    "The authorization header is malformed; the region is wrong",
    "The authorization header is malformed; the region is wrong",
  ],
  ["Authorization: Bearer abc.def", "Authorization: …"],
  ['{"SecretAccessKey": "abc"}', '{"SecretAccessKey": "…"}'],
  ["https://u:p@host/x?X-Amz-Signature=abc&y=1", "https://host/x?X-Amz-Signature=…&y=1"],
  ["connect ECONNREFUSED 127.0.0.1:9", "connect ECONNREFUSED 127.0.0.1:9"],
])("%j is told as %j", (text, told) => {
  expect(textWithoutSecrets(text)).toBe(told);
});
