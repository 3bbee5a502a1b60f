import type { GetObjectCommandOutput, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { IncompleteBody } from "./s3Errors.js";
import type { ByteRange } from "./store.js";

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+|\*)$/;

/** Reads an answer's body whole. Throws {@link IncompleteBody} when it isn't all of what was asked for. */
export async function readBody(answer: GetObjectCommandOutput, range: ByteRange | undefined): Promise<Uint8Array> {
  const body = answer.Body as AsyncIterable<Uint8Array> & { destroy(): void };
  const length = answer.ContentLength;
  if (length === undefined || (range && !answersRange(answer.ContentRange, length, range))) {
    body.destroy();
    throw new IncompleteBody(`The answer is not the range that was asked for: ${answer.ContentRange}, ${length} bytes`);
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

/** True when the answer begins at the range's start and ends with it, or with the object. */
function answersRange(contentRange: string | undefined, length: number, range: ByteRange): boolean {
  const [, first, last, total] = CONTENT_RANGE.exec(contentRange ?? "") ?? [];
  const end = Number(last) + 1;
  return Number(first) === range.start && end - range.start === length && (end === range.end || end === Number(total));
}

/** One object of a listing, its key as it is. */
export interface ListedKey {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** The objects of a page, without the empty ones that some tools put in place of folders (their keys end in a slash). */
export function keysOf(page: ListObjectsV2CommandOutput): ListedKey[] {
  // Keys are asked for URL-encoded, since XML can't hold every character; a server that can't do that doesn't say "url".
  const decode = page.EncodingType === "url" ? (key: string) => decodeURIComponent(key.replaceAll("+", " ")) : String;
  const keys: ListedKey[] = [];
  for (const { Key, Size, LastModified } of page.Contents ?? []) {
    if (Key === undefined || Key.endsWith("/")) continue;
    keys.push({ key: decode(Key), sizeBytes: Size ?? 0, modifiedMs: LastModified?.getTime() ?? 0 });
  }
  return keys;
}
