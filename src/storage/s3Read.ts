import type { GetObjectCommandOutput, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { ForeignAnswer, IncompleteBody } from "./s3Errors.js";
import type { ByteRange } from "./store.js";

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+|\*)$/;

/**
 * Refuses a success that isn't S3's own: that names by an ETag what was written or is given. Throws {@link ForeignAnswer}.
 */
export function checkETag(answer: { readonly ETag?: string | undefined }): void {
  if (!answer.ETag) throw new ForeignAnswer("The answer has no ETag");
}

/**
 * Reads an answer's body whole. Throws {@link IncompleteBody} when it isn't all of what was asked for, and
 * {@link ForeignAnswer}.
 */
export async function readBody(answer: GetObjectCommandOutput, range: ByteRange | undefined): Promise<Uint8Array> {
  const body = answer.Body as AsyncIterable<Uint8Array> & { destroy(): void };
  const length = answer.ContentLength;
  try {
    checkETag(answer);
    if (length === undefined || !isAsked(answer.ContentRange, length, range)) {
      throw new IncompleteBody(`The answer is not what was asked for: ${answer.ContentRange}, ${length} bytes`);
    }
  } catch (error) {
    body.destroy();
    throw error;
  }
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let done = 0;
  for await (const chunk of body) {
    if (done + chunk.length > length) throw new IncompleteBody(`More than the ${length} bytes announced`);
    bytes.set(chunk, done);
    done += chunk.length;
  }
  if (done < length) throw new IncompleteBody(`${done} of the ${length} bytes announced`);
  return bytes;
}

/** True when the answer begins at the range's start, or the object's, and ends with the range or the object. */
function isAsked(contentRange: string | undefined, length: number, range: ByteRange | undefined): boolean {
  // A server may answer "all of it" without saying which bytes that is.
  if (contentRange === undefined) return range === undefined;
  const [, first, last, total] = CONTENT_RANGE.exec(contentRange) ?? [];
  const { start, end: wantedEnd } = range ?? { start: 0, end: Number(total) };
  const end = Number(last) + 1;
  return Number(first) === start && end - start === length && (end === wantedEnd || end === Number(total));
}

/** One object of a listing, its key as it is. */
export interface ListedKey {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string | undefined;
}

/**
 * The objects of a page, without the empty ones that some tools put in place of folders (their keys end in a slash).
 * Throws {@link IncompleteBody} and {@link ForeignAnswer}.
 */
export function keysOf(page: ListObjectsV2CommandOutput): ListedKey[] {
  if (page.IsTruncated === undefined) throw new ForeignAnswer("The answer is no listing");
  const found = (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0);
  if (page.KeyCount !== undefined && page.KeyCount !== found) {
    throw new IncompleteBody(`${found} of the ${page.KeyCount} keys announced`);
  }
  // Keys are asked for URL-encoded, since XML can't hold every character; a server that can't do that doesn't say "url".
  const decode = page.EncodingType === "url" ? (key: string) => decodeURIComponent(key.replaceAll("+", " ")) : String;
  const keys: ListedKey[] = [];
  for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
    if (Key === undefined || Key.endsWith("/")) continue;
    keys.push({ key: decode(Key), sizeBytes: Size ?? 0, modifiedMs: LastModified?.getTime() ?? 0, etag: ETag });
  }
  return keys;
}
