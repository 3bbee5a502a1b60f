import { DeltaError } from "../errors.js";
import { ForeignAnswer } from "./s3Errors.js";
import { checkETag } from "./s3Read.js";
import type { S3Requests } from "./s3Requests.js";
import type { RangedContent } from "./store.js";

/** Above this a put goes in parts. */
export const MULTIPART_BYTES = 64 * 1024 * 1024;

const MIN_PART_BYTES = 16 * 1024 * 1024;
const MAX_PARTS = 10_000;
const UPLOADS = 2;
const LOST = ["NoSuchUpload", "InvalidPart"];

/** Where an upload goes: the key for the server, the URL for messages. */
export interface UploadTarget {
  readonly Bucket: string;
  readonly Key: string;
  readonly url: string;
}

interface Part {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
}

/**
 * Writes the content in parts, `lanes` at a time; readers see nothing of them before the last request, which makes the object. A
 * failure removes the parts.
 */
export async function uploadInParts(
  requests: S3Requests,
  target: UploadTarget,
  content: RangedContent,
  lanes: number,
  signal?: AbortSignal,
): Promise<void> {
  for (let upload = 1; ; upload++) {
    try {
      await uploadOnce(requests, target, content, lanes, signal);
      return;
    } catch (error) {
      // The answer to its completion was lost, somebody aborted it, or a part isn't what its answer said: another one
      // makes all of that good.
      const isLost = error instanceof DeltaError && LOST.includes(String(error.data.name));
      if (!isLost || upload === UPLOADS) throw error;
    }
  }
}

async function uploadOnce(
  requests: S3Requests,
  { Bucket, Key, url }: UploadTarget,
  content: RangedContent,
  lanes: number,
  signal?: AbortSignal,
): Promise<void> {
  const { UploadId } = await requests.run(
    async ({ client, sdk }, options) => {
      const answer = await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key }), options);
      if (!answer.UploadId) throw new ForeignAnswer("The answer names no upload");
      return answer;
    },
    "write",
    url,
    signal,
  );
  try {
    const Parts = await sendParts(
      content,
      async (PartNumber, Body, partSignal) => {
        const answer = await requests.run(
          async ({ client, sdk }, options) => {
            const part = await client.send(
              new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }),
              options,
            );
            checkETag(part);
            return part;
          },
          "write",
          url,
          partSignal,
        );
        return { PartNumber, ETag: answer.ETag };
      },
      lanes,
      signal,
    );
    await requests.run(
      async ({ client, sdk }, options) => {
        const input = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
        checkETag(await client.send(new sdk.CompleteMultipartUploadCommand(input), options));
      },
      "write",
      url,
      signal,
    );
  } catch (error) {
    await requests
      .run(
        ({ client, sdk }, options) =>
          client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), options),
        "write",
        url,
      )
      .catch(() => undefined);
    throw error;
  }
}

/** Sends all parts, `lanes` at a time; the first failure stops the others and is thrown once they have ended. */
async function sendParts(
  content: RangedContent,
  send: (number: number, bytes: Uint8Array, signal: AbortSignal) => Promise<Part>,
  lanes: number,
  signal?: AbortSignal,
): Promise<Part[]> {
  const { sizeBytes } = content;
  const partBytes = Math.max(MIN_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS));
  const count = Math.ceil(sizeBytes / partBytes);
  const parts: Part[] = new Array(count);
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  let failure: { error: unknown } | undefined;
  let next = 0;
  const lane = async () => {
    while (next < count && !failure) {
      const index = next++;
      try {
        const start = index * partBytes;
        const body = await content.read({ start, end: Math.min(start + partBytes, sizeBytes) });
        parts[index] = await send(index + 1, body, stop.signal);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
  signal?.removeEventListener("abort", onAbort);
  if (failure) throw failure.error;
  return parts;
}
