import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { installJars, installPython, peersFolder, scratchFolder } from "./environment.js";

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A long-lived process that answers requests, one JSON line each, in turn. */
export class Peer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  readonly #ended: Promise<void>;
  #stderr = "";
  #lastId = 0;

  constructor(python: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(python, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env, TZ: "UTC" } });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-20_000);
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#receive(JSON.parse(line) as Answer));
    this.#ended = new Promise((resolve) => {
      this.#child.once("close", () => {
        const error = new Error(`${args[0]} ended early:\n${this.#stderr}`);
        for (const { reject } of this.#waiting.values()) reject(error);
        resolve();
      });
    });
  }

  #receive(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.error === undefined) waiting?.resolve(answer.result);
    else waiting?.reject(new Error(answer.error));
  }

  /** What the peer's function `verb` gives for these named arguments; its exception is this promise's rejection. */
  request<T>(verb: string, args: Record<string, unknown> = {}): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#child.stdin?.write(`${JSON.stringify({ id, verb, args })}\n`);
    });
  }

  /** Ends the process: by the end of its input, so that it stops what it started itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }
}

/** delta-rs, pyarrow and DuckDB in one process (peers/python_peer.py). */
export async function startPython(): Promise<Peer> {
  return new Peer(await installPython(), [join(peersFolder, "python_peer.py")]);
}

/** Spark with Delta's own implementation, in one JVM (peers/spark_peer.py). */
export async function startSpark(): Promise<Peer> {
  const [python, jars] = [await installPython(), await installJars()];
  return new Peer(python, [join(peersFolder, "spark_peer.py"), jars, scratchFolder]);
}
