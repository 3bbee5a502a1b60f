const MEMORY_SECTION = 5;
const PAGE_BYTES = 65_536;
const HEADER_BYTES = 8;
const HAS_MAXIMUM = 1;

/**
 * A WebAssembly module whose memory can't grow beyond `maxBytes`: the module's own limit is 4 GiB, which it takes for a page
 * of a hundred bytes that unpacks to so much. Growing further fails as if the machine had no more.
 *
 * Throws a RangeError for bytes that aren't a module with one memory of its own.
 */
export function withMemoryLimit(module: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  for (let at = HEADER_BYTES; at < module.length; ) {
    const [length, start] = readVarint(module, at + 1);
    if (module[at] === MEMORY_SECTION) {
      const section = memorySection(module.subarray(start, start + length), Math.floor(maxBytes / PAGE_BYTES));
      const parts = [module.subarray(0, at), section, module.subarray(start + length)];
      return new Uint8Array(Buffer.concat(parts));
    }
    at = start + length;
  }
  throw new RangeError("The WebAssembly module has no memory.");
}

/** The section with a maximum, in pages. */
function memorySection(content: Uint8Array, maxPages: number): Uint8Array {
  const [count, flagsAt] = readVarint(content, 0);
  const [initial] = readVarint(content, flagsAt + 1);
  if (count !== 1 || content[flagsAt] !== 0) throw new RangeError("The WebAssembly module has another kind of memory.");
  const limited = [1, HAS_MAXIMUM, ...varint(initial), ...varint(Math.max(initial, maxPages))];
  return Uint8Array.from([MEMORY_SECTION, ...varint(limited.length), ...limited]);
}

/** A number, and where the next byte is. */
function readVarint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = at, scale = 1; i < bytes.length; i++, scale *= 128) {
    value += (bytes[i]! & 127) * scale;
    if (bytes[i]! < 128) return [value, i + 1];
  }
  throw new RangeError("The WebAssembly module is cut.");
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
}
