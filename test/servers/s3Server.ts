import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { runtime } from "#src/runtime.js";
import type { S3Options } from "#src/storage/s3.js";
import { SERVERS_FOLDER } from "./install.js";

/** A real S3 server on this machine, for one test process, with an empty bucket. */
export interface S3Server {
  readonly name: string;
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What `s3Store` and `Table.open` need to reach it. */
  readonly options: S3Options;
  /** The same as environment variables, for other programs. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** How to start a kind of server: a command that serves a folder on a port. */
export interface S3ServerCommand {
  readonly name: string;
  readonly command: string;
  args(port: number, folder: string): string[];
  env(port: number, folder: string): Record<string, string>;
}

export const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test-secret" } as const;
export const REGION = "us-east-1";

const GUARD = path.resolve("test/servers/guard.mjs");
const POLL_MS = 50;
const STARTS = 3;

/** Starts a server on a free port and waits until it answers. It ends with {@link S3Server.stop} or with this process. */
export async function startS3Server(kind: S3ServerCommand): Promise<S3Server> {
  for (let start = 1; ; start++) {
    try {
      return await startOnce(kind);
    } catch (error) {
      // Another process may have taken the port meanwhile.
      if (start === STARTS) throw error;
    }
  }
}

async function startOnce(kind: S3ServerCommand): Promise<S3Server> {
  const port = await freePort();
  const folder = path.join(SERVERS_FOLDER, "run", `${kind.name}-${randomBytes(6).toString("hex")}`);
  fs.mkdirSync(folder, { recursive: true });
  const guard = spawn(process.execPath, [GUARD, folder, kind.command, ...kind.args(port, folder)], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: folder, ...kind.env(port, folder) },
  });
  let output = "";
  let ended = false;
  for (const stream of [guard.stdout, guard.stderr]) {
    stream.on("data", (chunk) => {
      output = (output + chunk).slice(-4000);
    });
  }
  const exited = new Promise<void>((resolve) => {
    guard.on("exit", () => {
      ended = true;
      resolve();
    });
  });
  guard.unref();
  const stop = async () => {
    guard.stdin.end();
    guard.ref();
    await exited;
  };

  const endpoint = `http://127.0.0.1:${port}`;
  while (!(await answers(endpoint))) {
    if (ended) throw new Error(`${kind.name} didn't start:\n${output}`);
    await runtime.sleep(POLL_MS);
  }
  const bucket = "tables";
  await createBucket(endpoint, bucket);
  return {
    name: kind.name,
    endpoint,
    bucket,
    credentials: CREDENTIALS,
    options: { endpoint, region: REGION, credentials: CREDENTIALS },
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    stop,
  };
}

async function createBucket(endpoint: string, Bucket: string): Promise<void> {
  const client = new S3Client({ endpoint, region: REGION, credentials: CREDENTIALS, forcePathStyle: true });
  try {
    await client.send(new CreateBucketCommand({ Bucket }));
  } finally {
    client.destroy();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await (await fetch(endpoint)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
