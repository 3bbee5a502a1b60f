import { createHash } from "node:crypto";
import { hasCode } from "../errors.js";
import { limits } from "../limits.js";
import { isJsonBomb } from "../schema/jsonScan.js";
import type { StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import { LAST_CHECKPOINT_PATH } from "./names.js";
import { tellPassedOver } from "./passedOver.js";

/** PROTOCOL.md, Last Checkpoint File Schema. Sizes in bytes. */
export interface LastCheckpoint {
  readonly version: number;
  /** Actions in the checkpoint. */
  readonly size: number;
  readonly sizeInBytes?: number;
  readonly numOfAddFiles?: number;
  /** Of the file of a checkpoint that has one. */
  readonly checkpointSchema?: StructType;
  /** Where a V2 checkpoint's own file is, by its name in the log. */
  readonly v2Checkpoint?: { readonly path: string; readonly sizeInBytes: number; readonly modificationTime: number };
  readonly checksum?: string;
}

/** What `_last_checkpoint` says of a recent checkpoint. */
export interface CheckpointHint {
  readonly version: number;
  /** Of the file of a classic checkpoint that has one, if it is still the one that was told of. */
  readonly sizeBytes?: number;
}

/**
 * Where a recent checkpoint is. It is a hint and no more: undefined where the file is missing and, with a warning, where
 * it isn't what it should be, is larger than `MAX_LAST_CHECKPOINT_BYTES`, or doesn't match its own checksum.
 */
export async function readLastCheckpoint(
  store: ObjectStore,
  signal?: AbortSignal,
): Promise<CheckpointHint | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.get(LAST_CHECKPOINT_PATH, { start: 0, end: limits.MAX_LAST_CHECKPOINT_BYTES + 1 }, signal);
  } catch (error) {
    if (hasCode(error, "DELTA_FILE_NOT_FOUND")) return undefined;
    throw error;
  }
  const hint = parseHint(bytes);
  if ("version" in hint) return hint;
  tellPassedOver(store, LAST_CHECKPOINT_PATH, hint.flaw);
  return undefined;
}

function parseHint(bytes: Uint8Array): CheckpointHint | { readonly flaw: string } {
  const { MAX_LAST_CHECKPOINT_BYTES } = limits;
  if (bytes.length > MAX_LAST_CHECKPOINT_BYTES) return { flaw: `it is longer than ${MAX_LAST_CHECKPOINT_BYTES} bytes` };
  const text = new TextDecoder().decode(bytes);
  if (isJsonBomb(text)) return { flaw: "it holds too many values, or nests them too deep" };
  let hint: (Partial<LastCheckpoint> & { readonly parts?: unknown }) | null;
  try {
    hint = JSON.parse(text);
  } catch {
    return { flaw: "it isn't JSON" };
  }
  if (typeof hint !== "object" || hint === null) return { flaw: "it isn't a JSON object" };
  const { version, checksum, sizeInBytes, parts, v2Checkpoint } = hint;
  if (checksum !== undefined && checksum !== jsonChecksum(hint)) return { flaw: "it doesn't match its own checksum" };
  if (!Number.isSafeInteger(version) || version! < 0) return { flaw: "it gives no version" };
  const isOneFile = parts === undefined && v2Checkpoint === undefined && Number.isSafeInteger(sizeInBytes);
  return { version: version!, ...(isOneFile && { sizeBytes: sizeInBytes! }) };
}

/** Points readers at a checkpoint that has just been written. */
export async function writeLastCheckpoint(
  store: ObjectStore,
  hint: LastCheckpoint,
  signal?: AbortSignal,
): Promise<void> {
  const json = JSON.stringify({ ...hint, checksum: jsonChecksum(hint, hint.checkpointSchema) });
  await store.put(LAST_CHECKPOINT_PATH, new TextEncoder().encode(json), signal);
}

/**
 * The MD5 of the canonical form of an object without its `checksum` (PROTOCOL.md, JSON checksum); undefined where
 * there is none, since a text is half a character, or it is beyond measure. A member `constant` that never changes costs its lines once.
 */
export function jsonChecksum(value: object, constant?: object): string | undefined {
  try {
    const lines = new Lines(constant);
    const told = Object.entries(value).filter(([name]) => name !== "checksum");
    collect(told, "", lines);
    return createHash("md5").update(lines.all.join(",")).digest("hex");
  } catch (error) {
    if (error instanceof RangeError || error instanceof URIError) return undefined;
    throw error;
  }
}

/** A long name counts in each line below it: a small file could ask for any room. */
class Lines {
  readonly all: string[] = [];
  readonly #constant: object | undefined;
  #chars = 0;

  constructor(constant?: object) {
    this.#constant = constant;
  }

  addAll(path: string, value: object): void {
    const isConstant = value === this.#constant;
    const kept = isConstant && constantLines.get(value);
    if (kept) {
      this.all.push(...kept);
      return;
    }
    const { length } = this.all;
    collect(Object.entries(value), `${path}+`, this, Array.isArray(value));
    if (isConstant) constantLines.set(value, this.all.slice(length));
  }

  add(path: string, value: unknown): void {
    this.#chars += path.length;
    if (this.#chars > MAX_PATH_CHARS) throw new RangeError("its names are too long");
    this.all.push(`${path}=${typeof value === "string" ? quoted(value) : value}`);
  }
}

/** A table's checkpoints have one schema. */
const constantLines = new WeakMap<object, readonly string[]>();

const MAX_PATH_CHARS = 16 * 1024 * 1024;

/**
 * Adds the lines in the order of their paths' bytes. That is the order of the names, one level after the other: they are ASCII, and none begins
 * with another and its end.
 */
function collect(entries: [string, unknown][], prefix: string, lines: Lines, isArray = false): void {
  const members = entries.map(([name, value]) => ({ name: isArray ? name : quoted(name), value }));
  members.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, value } of members) {
    const path = prefix + name;
    if (typeof value === "object" && value !== null) {
      lines.addAll(path, value);
    } else if (value !== undefined) {
      lines.add(path, value);
    }
  }
}

function quoted(text: string): string {
  const encoded = encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `"${encoded}"`;
}
