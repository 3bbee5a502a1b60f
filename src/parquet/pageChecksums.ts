import { crc32 } from "../crc32.js";
import { type PageHeader, readPageHeader } from "./pageHeader.js";

/** Throws a RangeError where a page's body doesn't have the checksum that its header gives it. */
export function checkPage(header: PageHeader, body: Uint8Array): void {
  if (header.crc !== undefined && crc32(body) !== header.crc) {
    throw new RangeError("a page doesn't have its checksum");
  }
}

/** {@link checkPage} for all pages of a column chunk. What is no page is left to the decoder. */
export function checkPages(chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) {
    const header = headerAt(chunk, at);
    if (header === undefined) return;
    const start = at + header.headerBytes;
    at = start + header.bodyBytes;
    checkPage(header, chunk.subarray(start, at));
  }
}

function headerAt(chunk: Uint8Array, at: number): PageHeader | undefined {
  try {
    return readPageHeader(chunk, at);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
