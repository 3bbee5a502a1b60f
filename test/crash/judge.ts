import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { hasCode } from "#src/errors.js";
import { Table } from "#src/index.js";
import { isTempName } from "#src/storage/localFiles.js";
import { memoryStore } from "#src/storage/memory.js";
import type { Image } from "./states.js";
import { WatchedStore } from "./watchedStore.js";
import { APP, type Repeatable, rowsOf, TABLE } from "./world.js";

/** What must hold of a state. */
export interface Expected {
  /** The disk at the end of the run with nothing lost. */
  readonly whole: Image;
  /** Tags whose append had returned. */
  readonly acknowledged: readonly string[];
  /** The tags of all commits there ever were, by version. */
  readonly history: readonly string[];
  readonly repeatable?: readonly Repeatable[];
}

class Violation extends Error {}

/**
 * Looks at the state with the product, in memory; what is wrong with it, or undefined. Data files are compared with what
 * was written instead of decoded. Temporary files aren't there, as the local store doesn't list them: to ask for one by
 * name is an error.
 *
 * `looked` gets the files that mattered, with their bytes: another state with the same names in its log and the same of these
 * files is judged the same.
 */
export function judgeInMemory(
  image: Image,
  expected: Expected,
  looked: Map<string, Uint8Array | undefined> = new Map(),
): Promise<string | undefined> {
  return violationOf(async () => {
    const inner = memoryStore();
    for (const [file, bytes] of image.files) {
      const at = path.relative(TABLE, file);
      if (!at.startsWith("..") && !isTempName(path.basename(at))) await inner.put(at, bytes);
    }
    const look = (at: string) => {
      const file = path.join(TABLE, at);
      const bytes = image.files.get(file);
      looked.set(file, bytes);
      return bytes;
    };
    const store = new WatchedStore(inner, look);
    const open = () => Table.open(store);
    const tags = await checkHistory(open, expected);
    if (tags.length > 0) {
      for (const { path: at, size } of await open().files()) {
        const [found, written] = [look(at), expected.whole.files.get(path.join(TABLE, at))];
        const isSound = found && written && found.length === size && Buffer.compare(found, written) === 0;
        if (!isSound) throw new Violation(`data file ${at} isn't what was written`);
      }
    }
    await checkNext(open, tags, expected);
  });
}

/**
 * As {@link judgeInMemory}, in a folder of the real file system, where all rows are read before and after the next append.
 * `open` may open it otherwise than the product does.
 */
export async function judgeOnDisk(
  image: Image,
  expected: Expected,
  openAt: (root: string) => Table = Table.open,
): Promise<string | undefined> {
  const root = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "delta-state-"));
  try {
    for (const folder of [...image.folders].sort()) fs.mkdirSync(path.join(root, folder));
    for (const [file, bytes] of image.files) fs.writeFileSync(path.join(root, file), bytes);
    const open = () => openAt(path.join(root, TABLE));
    return await violationOf(async () => {
      const tags = await checkHistory(open, expected);
      if (tags.length > 0) await checkRows(open(), tags);
      if (tags.length > 1) await checkRows(open().at(tags.length - 2), tags.slice(0, -1));
      const after = await checkNext(open, tags, expected);
      await checkRows(open(), after);
      await open().checkpoint();
      await checkRows(open(), after);
    });
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

async function violationOf(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    const { code, stack } = error as Error & { code?: string };
    return `throws ${code ?? stack}`;
  }
}

/** The tags that are there: a prefix of all, with those acknowledged. */
async function checkHistory(open: () => Table, { acknowledged, history }: Expected): Promise<string[]> {
  const tags = await tagsOf(open());
  if (tags.some((tag, version) => tag !== history[version])) throw new Violation(`not a prefix: ${tags} of ${history}`);
  for (const tag of acknowledged) if (!tags.includes(tag)) throw new Violation(`lost ${tag}, which was acknowledged`);
  return tags;
}

/** The appends that somebody would do next, repeated ones first; all tags after them. */
async function checkNext(open: () => Table, before: readonly string[], expected: Expected): Promise<string[]> {
  const tags = [...before];
  const table = open();
  for (const { tag, version } of expected.repeatable ?? []) {
    const { skipped } = await table.append(rowsOf(tag), { userMetadata: tag, txn: { appId: APP, version } });
    if (skipped !== tags.includes(tag)) throw new Violation(`repeating ${tag} was${skipped ? "" : "n't"} skipped`);
    if (!skipped) tags.push(tag);
  }
  const { version } = await table.append(rowsOf("next"), { userMetadata: "next" });
  if (version !== tags.push("next") - 1) throw new Violation(`the next append made version ${version}`);
  if (String(await tagsOf(open())) !== String(tags)) throw new Violation(`the next append spoiled ${tags}`);
  return tags;
}

/** The tags of the commits by version; none where there is no table. */
async function tagsOf(table: Table): Promise<string[]> {
  try {
    const entries = await table.history();
    const versions = entries.map((entry) => entry.version);
    if (versions.some((version, i) => version !== entries.length - 1 - i)) throw new Violation(`versions ${versions}`);
    return entries.map(({ userMetadata }) => String(userMetadata)).reverse();
  } catch (error) {
    if (hasCode(error, "DELTA_TABLE_NOT_FOUND")) return [];
    throw error;
  }
}

/** Every row of these tags once, and no other. */
async function checkRows(table: Table, tags: readonly string[]): Promise<void> {
  const spell = ({ tag, n, day }: Record<string, unknown>) => `${tag} ${n} ${day}`;
  const found = (await table.toArray()).map(spell).sort();
  const wanted = tags.flatMap(rowsOf).map(spell).sort();
  if (String(found) !== String(wanted)) throw new Violation(`rows ${found} instead of ${wanted}`);
}
