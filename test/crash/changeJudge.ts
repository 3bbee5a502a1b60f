import fs from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { hasCode } from "#src/errors.js";
import { Table } from "#src/index.js";
import { replaceRuntime } from "#src/runtime.js";
import { localStore } from "#src/storage/local.js";
import { isTempName } from "#src/storage/localFiles.js";
import { memoryStore } from "#src/storage/memory.js";
import { type ChangeScenario, CLONE, rowsOf } from "./changeScenarios.js";
import type { Image } from "./states.js";
import { TABLE } from "./world.js";

type Row = { id: bigint; part: string; n: number };
type Open = (name: string) => Table<Row>;

/** From now on the clock says so many days later; the returned function sets it right. */
export function daysLater(days = 0): () => void {
  return replaceRuntime({ now: () => Date.now() + days * 86_400_000 });
}

/** What is wrong with a state that a crash may leave, or undefined. */
export async function judgeChange(
  scenario: ChangeScenario,
  image: Image,
  { root, isAcknowledged }: { readonly root: string; readonly isAcknowledged: boolean },
): Promise<string | undefined> {
  const stage = scenario.inPlace ? onDisk(image, root) : await inMemory(image);
  const setRight = daysLater(scenario.days);
  try {
    await check(scenario, stage.open, isAcknowledged);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.message;
    const { code, stack } = error as Error & { code?: string };
    return `throws ${code ?? ""} ${stack}`;
  } finally {
    setRight();
    stage.done();
  }
}

class Violation extends Error {}

async function inMemory(image: Image) {
  const stores = new Map([TABLE, CLONE].map((name) => [name, memoryStore()]));
  for (const [file, bytes] of image.files) {
    for (const [name, store] of stores) {
      const at = path.relative(name, file);
      if (!at.startsWith("..") && !isTempName(path.basename(at))) await store.put(at, bytes);
    }
  }
  const open: Open = (name) => Table.open<Row>(stores.get(name)!);
  return { open, done: () => undefined };
}

function onDisk(image: Image, root: string) {
  fs.mkdirSync(root);
  for (const folder of [...image.folders].sort()) fs.mkdirSync(path.join(root, folder), { recursive: true });
  for (const [file, bytes] of image.files) fs.writeFileSync(path.join(root, file), bytes);
  const open: Open = (name) => {
    const store = localStore(path.join(root, name), { fsync: false });
    return Table.open<Row>(store, { dataRoots: [path.join(root, TABLE)] });
  };
  return { open, done: () => fs.rmSync(root, { recursive: true, force: true }) };
}

async function check(scenario: ChangeScenario, open: Open, isAcknowledged: boolean): Promise<void> {
  const { of = TABLE, ids, isDone, versions = [], harmless } = scenario;
  const found = await idsOf(open(of));
  const isWhole = found === ids.after && (await (isDone?.(open(of)) ?? true));
  if (!isWhole && found !== ids.before) throw new Violation(`has the rows ${found}`);
  if (!isWhole && isAcknowledged) throw new Violation("what was done is lost");
  const past = async () => Promise.all(versions.map((version) => idsOf(open(of).at(version))));
  const before = found === undefined ? [] : await past();
  if (found !== undefined) await checkSound(open(of), harmless);

  await scenario.change(open(TABLE), open);
  const after = await idsOf(open(of));
  if (after !== ids.after) throw new Violation(`done again it has the rows ${after}`);
  if (isDone !== undefined && !(await isDone(open(of)))) throw new Violation("done again it isn't done");
  if (before.length > 0 && !isDeepStrictEqual(await past(), before)) throw new Violation("past versions have changed");
  await open(of).append(rowsOf(99));
  if ((await idsOf(open(of))) !== `${ids.after} 99`) throw new Violation("the next append goes wrong");
  await checkSound(open(of), harmless);
}

/** The ids of a table's rows; undefined where there is no table. */
async function idsOf(table: Table<Row>): Promise<string | undefined> {
  try {
    const ids = (await table.toArray()).map(({ id }) => Number(id));
    return ids.sort((a, b) => a - b).join(" ");
  } catch (error) {
    if (hasCode(error, "DELTA_TABLE_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** A power cut may tear what isn't worth a flush; readers and writers do without it. */
const TORN = "checksum-malformed";

async function checkSound(table: Table<Row>, harmless: readonly string[] = []): Promise<void> {
  const { findings } = await table.verify();
  const wrong = findings.filter(
    ({ severity, code }) => severity !== "info" && code !== TORN && !harmless.includes(code),
  );
  if (wrong.length > 0)
    throw new Violation(`verification finds ${wrong.map(({ code, message }) => `${code} ${message}`).join("; ")}`);
  const { missing } = await table.fsck({ dryRun: true });
  if (missing.length > 0) throw new Violation(`files are missing: ${missing}`);
}
