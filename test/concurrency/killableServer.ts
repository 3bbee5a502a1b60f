import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { runtime } from "#src/runtime.js";
import type { S3Options } from "#src/storage/s3.js";
import { SERVERS_FOLDER } from "../servers/install.js";
import { ministack } from "../servers/ministack.js";
import { CREDENTIALS, REGION, type S3ServerCommand } from "../servers/s3Server.js";
import { versitygw } from "../servers/versitygw.js";

/** The S3 servers there are, by name; each undefined where it can't be had. */
export const SERVERS = { versitygw, ministack } as const;

/** An S3 server with an empty bucket that can be killed and comes back as it was. */
export interface KillableServer {
  readonly bucket: string;
  readonly options: S3Options;
  /** Ends it by SIGKILL; resolves when it is dead. */
  kill(): Promise<void>;
  /** Starts it again on its port; resolves when it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const POLL_MS = 50;
const BUCKET = "tables";

/** Starts a server on a free port. It ends with {@link KillableServer.stop} or with this process. */
export async function startKillable(kind: S3ServerCommand): Promise<KillableServer> {
  const port = await freePort();
  const folder = path.join(SERVERS_FOLDER, "run", `${kind.name}-${runtime.randomUUID()}`);
  fs.mkdirSync(folder, { recursive: true });
  const script = path.resolve("test/concurrency/serverGuard.mjs");
  const guard = spawn(process.execPath, [script, folder, kind.command, ...kind.args(port, folder)], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { PATH: process.env.PATH, HOME: folder, ...kind.env(port, folder) },
  });
  const exited = once(guard, "exit");
  const answers = createInterface({ input: guard.stdout })[Symbol.asyncIterator]();
  const tell = async (line: string) => {
    guard.stdin.write(`${line}\n`);
    await answers.next();
  };
  const options = { endpoint: `http://127.0.0.1:${port}`, region: REGION, credentials: CREDENTIALS };
  await answering(options.endpoint);
  const client = new S3Client({ ...options, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  // ministack forgets a bucket that is empty when it is killed.
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: "made", Body: "x" }));
  client.destroy();
  return {
    bucket: BUCKET,
    options,
    kill: () => tell("kill"),
    start: async () => {
      await tell("start");
      await answering(options.endpoint);
    },
    stop: async () => {
      guard.stdin.end();
      await exited;
    },
  };
}

async function answering(endpoint: string): Promise<void> {
  for (;;) {
    try {
      await (await fetch(endpoint)).arrayBuffer();
      return;
    } catch {
      await runtime.sleep(POLL_MS);
    }
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
