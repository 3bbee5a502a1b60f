import type { S3Client } from "@aws-sdk/client-s3";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import { runtime } from "../runtime.js";
import { abortedError, checkSignal } from "../signal.js";
import { RequestLimit } from "./requestLimit.js";
import { faultOf, mayPass, s3Error } from "./s3Errors.js";
import { endpointOf, positive, type S3Options } from "./s3Options.js";

type Sdk = typeof import("@aws-sdk/client-s3");

/** A loaded SDK and a client of it. */
export interface S3Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

/** One request, from sending it to the last byte of its answer. */
export type S3Attempt<T> = (connection: S3Connection, options: { abortSignal?: AbortSignal }) => Promise<T>;

const ATTEMPTS = 7;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * The requests of one store: the SDK is loaded and the client made by the first of them, at most
 * `maxConcurrentRequests` are under way. The SDK's own retries are off: they end before the body has come, and they
 * would hide from a conditional put whether its first try had its effect.
 */
export class S3Requests {
  readonly #options: S3Options;
  readonly #endpoint: string | undefined;
  readonly #limit: RequestLimit;
  readonly #timeoutMs: number;
  #connection: Promise<S3Connection> | undefined;
  #disposed = false;

  constructor(options: S3Options) {
    this.#options = options;
    this.#endpoint = endpointOf(options);
    this.#limit = new RequestLimit(positive(options.maxConcurrentRequests, "s3.maxConcurrentRequests", 32));
    this.#timeoutMs = positive(options.timeoutMs, "s3.timeoutMs", 30_000);
  }

  /** So many run at once. */
  get size(): number {
    return this.#limit.size;
  }

  /**
   * Makes exactly one attempt and throws what the SDK throws. Only where the server refuses credentials that have
   * expired, which leaves nothing done, are new ones asked for and the attempt made anew.
   */
  async once<T>(attempt: S3Attempt<T>, doing: string, signal?: AbortSignal): Promise<T> {
    if (this.#disposed) throw new DeltaError("DELTA_INVALID_ARGUMENT", `The store was closed: ${doing}.`);
    const release = await this.#limit.enter(signal, doing);
    try {
      this.#connection ??= this.#connect().catch((error: unknown) => {
        this.#connection = undefined;
        throw error;
      });
      const connection = await this.#connection;
      checkSignal(signal, doing);
      const options = signal ? { abortSignal: signal } : {};
      try {
        return await attempt(connection, options);
      } catch (error) {
        // Keys given as values can't be renewed.
        if (faultOf(error) !== "expired" || typeof this.#options.credentials === "object") throw error;
        await connection.client.config.credentials({ forceRefresh: true });
        return await attempt(connection, options);
      }
    } finally {
      release();
    }
  }

  /**
   * Attempts an operation that may be repeated, waiting ever longer (a random part of 100 ms, 200, 400 …, at most 5 s)
   * between up to seven attempts. Throws the last failure as a DeltaError.
   */
  async run<T>(attempt: S3Attempt<T>, verb: string, at: string, signal?: AbortSignal): Promise<T> {
    const doing = `${verb} ${at}`;
    for (let tries = 1; ; tries++) {
      try {
        return await this.once(attempt, doing, signal);
      } catch (error) {
        if (error instanceof DeltaError) throw error;
        checkSignal(signal, doing);
        if (tries === ATTEMPTS || !mayPass(faultOf(error))) throw s3Error(error, verb, at);
      }
      const delayMs = runtime.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
      try {
        await runtime.sleep(delayMs, signal);
      } catch (error) {
        throw signal?.aborted ? abortedError(signal, doing) : error;
      }
    }
  }

  /** Closes the client and its sockets; requests under way fail. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const connection = await this.#connection?.catch(() => undefined);
    connection?.client.destroy();
  }

  async #connect(): Promise<S3Connection> {
    const sdk = await loaded(() => import("@aws-sdk/client-s3"), "@aws-sdk/client-s3");
    const { region, credentials, forcePathStyle } = this.#options;
    const endpoint = this.#endpoint;
    const agent = { keepAlive: true, maxSockets: this.#limit.size };
    const usedRegion = region ?? (endpoint === undefined ? undefined : regionOfEnvironment());
    const client = new sdk.S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(usedRegion === undefined ? {} : { region: usedRegion }),
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: forcePathStyle ?? endpoint !== undefined,
      maxAttempts: 1,
      // The default, CRC trailers in chunked bodies, is refused by older servers.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      // A server that never says "continue" would cost six seconds per large body.
      expectContinueHeader: false,
      requestHandler: {
        httpAgent: agent,
        httpsAgent: agent,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: this.#timeoutMs,
      },
    });
    return { sdk, client };
  }
}

function regionOfEnvironment(): string {
  return process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || "us-east-1";
}
