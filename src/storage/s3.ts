import { DeltaError } from "../errors.js";
import { checkSignal } from "../signal.js";
import { checkPath, checkPrefix, checkRange } from "./arguments.js";
import { checkNameCount } from "./listingLimit.js";
import { bytesBetween, sizeOf } from "./parts.js";
import { faultOf, mayPass, s3Error } from "./s3Errors.js";
import { parseS3Url, type S3Location, type S3Options } from "./s3Options.js";
import { checkETag, keysOf, type ListedKey, readBody } from "./s3Read.js";
import { S3Requests } from "./s3Requests.js";
import { MULTIPART_BYTES, uploadInParts } from "./s3Upload.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "./store.js";

export type { S3Credentials, S3Options } from "./s3Options.js";

/** Parts that are in memory while they are sent, of content that is read for it. */
const PARTS_READ_AT_ONCE = 2;

/**
 * A prefix of an S3 bucket as a store. No I/O happens here; the SDK is loaded by the first request.
 *
 * Throws `DELTA_UNSUPPORTED_URL` for a URL that isn't `s3://bucket/prefix`, `DELTA_INVALID_ARGUMENT` for a wrong option.
 */
export function s3Store(url: string, options: S3Options = {}): ObjectStore {
  return new S3Store(parseS3Url(url), new S3Requests(options));
}

class S3Store implements ObjectStore {
  readonly url: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #requests: S3Requests;
  /** Those under way. */
  readonly #hints = new Set<Promise<void>>();

  constructor(location: S3Location, requests: S3Requests) {
    this.url = location.url;
    this.#bucket = location.bucket;
    this.#prefix = location.prefix;
    this.#requests = requests;
  }

  async get(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    checkPath(path);
    if (range) checkRange(range);
    if (range && range.start === range.end) return this.#getNothing(path, signal);
    // All of an object is asked for as a range too: the answer then gives the object's size, and one that was cut shows.
    const Range = range === undefined ? "bytes=0-" : `bytes=${range.start}-${range.end - 1}`;
    return this.#requests.run(
      async ({ client, sdk }, options) => {
        try {
          const input = { ...this.#at(path), Range, IfMatch: range?.etag };
          const answer = await client.send(new sdk.GetObjectCommand(input), options);
          const bytes = await readBody(answer, range);
          // A server may not know the condition.
          if (range?.etag !== undefined && answer.ETag !== range.etag) throw replaced(this.#url(path));
          return bytes;
        } catch (error) {
          if (faultOf(error) === "range") return new Uint8Array(0);
          if (range?.etag !== undefined && faultOf(error) === "exists") throw replaced(this.#url(path));
          throw error;
        }
      },
      "read",
      this.#url(path),
      signal,
    );
  }

  put(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.putNew(path, [bytes], signal);
  }

  putNew(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const content = { sizeBytes: sizeOf(parts), read: async (range: ByteRange) => bytesBetween(parts, range) };
    return this.#putContent(path, content, this.#requests.size, signal);
  }

  putFrom(path: string, content: RangedContent, signal?: AbortSignal): Promise<void> {
    return this.#putContent(path, content, PARTS_READ_AT_ONCE, signal);
  }

  async #putContent(path: string, content: RangedContent, lanes: number, signal?: AbortSignal): Promise<void> {
    checkPath(path);
    if (content.sizeBytes > MULTIPART_BYTES) {
      await uploadInParts(this.#requests, { ...this.#at(path), url: this.#url(path) }, content, lanes, signal);
      return;
    }
    const bytes = await content.read({ start: 0, end: content.sizeBytes });
    await this.#requests.run(
      async ({ client, sdk }, options) => {
        checkETag(await client.send(new sdk.PutObjectCommand({ ...this.#at(path), Body: bytes }), options));
      },
      "write",
      this.#url(path),
      signal,
    );
  }

  /** As the contract says; a signal that fires while the request is under way makes the outcome `unknown`. */
  async putIfAbsent(
    path: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
    after?: Promise<unknown>,
  ): Promise<PutOutcome> {
    checkPath(path);
    await after;
    try {
      await this.#requests.once(
        async ({ client, sdk }, options) => {
          const input = { ...this.#at(path), Body: bytes, IfNoneMatch: "*" };
          checkETag(await client.send(new sdk.PutObjectCommand(input), options));
        },
        `write ${this.#url(path)}`,
        signal,
      );
      return "created";
    } catch (error) {
      if (error instanceof DeltaError) throw error;
      const fault = faultOf(error);
      if (fault === "exists") return "exists";
      if (mayPass(fault) || signal?.aborted) return "unknown";
      throw s3Error(error, "write", this.#url(path));
    }
  }

  /** One attempt; disposing of the store waits for it. */
  async putHint(path: string, bytes: Uint8Array): Promise<void> {
    checkPath(path);
    const url = this.#url(path);
    const put = this.#requests.once(async ({ client, sdk }, options) => {
      await client.send(new sdk.PutObjectCommand({ ...this.#at(path), Body: bytes, IfNoneMatch: "*" }), options);
    }, `write ${url}`);
    this.#hints.add(put);
    try {
      await put;
    } catch (error) {
      if (error instanceof DeltaError) throw error;
      if (faultOf(error) !== "exists") throw s3Error(error, "write", url);
    } finally {
      this.#hints.delete(put);
    }
  }

  async *list(
    prefix: string,
    startAfter = "",
    signal?: AbortSignal,
    enters?: (folder: string) => boolean,
  ): AsyncGenerator<ObjectMeta> {
    for (let after: string | undefined = startAfter; after !== undefined; ) {
      const from: string = after;
      after = undefined;
      for await (const page of this.#pages(prefix, from, undefined, signal)) {
        let last = "";
        for (const { key, ...facts } of page) {
          checkSignal(signal, `list ${this.url}`);
          last = key.slice(this.#prefix.length);
          yield { path: last, ...facts };
        }
        const passedOver = enters && folderDenied(last, prefix, enters);
        if (passedOver === undefined) continue;
        after = `${passedOver}${LAST_CHARACTER}`;
        break;
      }
    }
  }

  async listNames(prefix: string, startAfter = "", signal?: AbortSignal): Promise<string[]> {
    const paths: string[] = [];
    for await (const page of this.#pages(prefix, startAfter, "/", signal)) {
      for (const { key } of page) paths.push(key.slice(this.#prefix.length));
      checkNameCount(paths.length, this.#url(prefix));
    }
    return paths;
  }

  async head(path: string, signal?: AbortSignal): Promise<ObjectMeta | undefined> {
    checkPath(path);
    return this.#requests.run(
      async ({ client, sdk }, options) => {
        try {
          const answer = await client.send(new sdk.HeadObjectCommand(this.#at(path)), options);
          checkETag(answer);
          const modifiedMs = answer.LastModified?.getTime() ?? 0;
          return { path, sizeBytes: answer.ContentLength ?? 0, modifiedMs, etag: answer.ETag };
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      },
      "look at",
      this.#url(path),
      signal,
    );
  }

  async delete(path: string, signal?: AbortSignal): Promise<void> {
    checkPath(path);
    await this.#requests.run(
      async ({ client, sdk }, options) => {
        try {
          await client.send(new sdk.DeleteObjectCommand(this.#at(path)), options);
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      },
      "delete",
      this.#url(path),
      signal,
    );
  }

  async settle(prefix: string): Promise<void> {
    checkPrefix(prefix);
  }

  async sweep(prefix: string): Promise<void> {
    checkPrefix(prefix);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#hints);
    await this.#requests.dispose();
  }

  async *#pages(
    prefix: string,
    startAfter: string,
    Delimiter: "/" | undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<ListedKey[]> {
    checkPrefix(prefix);
    const Prefix = this.#prefix + prefix;
    const StartAfter = startAfter === "" ? undefined : this.#prefix + startAfter;
    let ContinuationToken: string | undefined;
    do {
      const input = {
        Bucket: this.#bucket,
        Prefix,
        StartAfter,
        Delimiter,
        ContinuationToken,
        EncodingType: "url",
      } as const;
      const { page, keys } = await this.#requests.run(
        async ({ client, sdk }, options) => {
          const answer = await client.send(new sdk.ListObjectsV2Command(input), options);
          return { page: answer, keys: keysOf(answer) };
        },
        "list",
        this.#url(prefix),
        signal,
      );
      yield keys;
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  /** S3 has no empty ranges; whether the object is there must still be told. */
  async #getNothing(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    if (await this.head(path, signal)) return new Uint8Array(0);
    throw new DeltaError("DELTA_FILE_NOT_FOUND", `Cannot read ${this.#url(path)}: there is no such object.`, {
      path: this.#url(path),
    });
  }

  #at(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + path };
  }

  #url(path: string): string {
    return `${this.url}/${path}`;
  }
}

/** Keys of a folder come before the folder's name with this at its end. */
const LAST_CHARACTER = "\u{10ffff}";

/** The outermost folder of the object, below `prefix`, that isn't entered. */
function folderDenied(path: string, prefix: string, enters: (folder: string) => boolean): string | undefined {
  for (let end = path.indexOf("/", prefix.length); end >= 0; end = path.indexOf("/", end + 1)) {
    const folder = path.slice(0, end + 1);
    if (!enters(folder)) return folder;
  }
  return undefined;
}

/** What HEAD and DELETE, whose answers have no body to name the reason, say of an object that isn't there. */
function isMissing(error: unknown): boolean {
  const fault = faultOf(error);
  return fault === "missing" || fault === "nameless";
}

function replaced(url: string): DeltaError {
  return new DeltaError("DELTA_LOAD_SOURCE_CHANGED", `${url} was replaced while it was read. Read it again.`, {
    path: url,
  });
}
