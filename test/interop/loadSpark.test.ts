import { appendFile, chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { LoadOptions, LoadResult } from "#src/load/loadOptions.js";
import { seeded } from "../crash/random.js";
import { isLong } from "../form.js";
import { csvLines, deadIdsOf, HEADER, idsOf, isBad, range, SCHEMA, write } from "../load/loadFixture.js";
import { installPython } from "./environment.js";
import { contentOf, loadByCommand, loadHere, loadOnSpark } from "./sparkLoads.js";

const root = await mkdtemp(join(tmpdir(), "delta-load-spark-"));
afterAll(() => rm(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);

const BATCH_BYTES = 12_000;
const OPTIONS = { schema: SCHEMA, batchBytes: BATCH_BYTES } as const;
type Options = LoadOptions<object>;

const endHere = (source: string, target: string, options: Options = OPTIONS): Promise<LoadResult> =>
  Table.open(target).load(source, options as LoadOptions);

const good = (to: number) => range(0, to).filter((id) => !isBad(id));
const jsonLine = (id: number) => (isBad(id) ? `{"id":${id},"v":"x"}\n` : `{"id":${id},"name":"n","v":${id / 2}}\n`);

test("a load of packed CSV, JSON lines and a pattern goes from one engine to the other, whoever is killed", async () => {
  const packed = gzipSync(HEADER + csvLines(0, 900));
  await write(at("mixed/a.csv.gz"), packed as never);
  await write(at("mixed/b.jsonl"), range(900, 1500).map(jsonLine).join(""));
  await write(at("mixed/c.csv"), `\ufeffv,id\r\n1.5,1500\r\n\r\nx,1501\r\n`);
  await write(at("mixed/d.txt"), "no format");
  const [source, target] = [at("mixed/[a-c].*"), at("mixed-target")];
  await loadHere(source, target, 1, OPTIONS);
  const begun = (await idsOf(Table.open(target))).length;
  expect(await loadOnSpark(source, target, OPTIONS, { batches: 1 })).toEqual({ event: "killed" });
  expect((await idsOf(Table.open(target))).length).toBeGreaterThan(begun);
  await loadHere(source, target, 1, OPTIONS);
  expect(await loadOnSpark(source, target, OPTIONS)).toMatchObject({ event: "done", isUpToDate: false });
  expect(await endHere(source, target)).toMatchObject({ isUpToDate: true });
  await appendFile(at("mixed/b.jsonl"), range(1502, 1600).map(jsonLine).join(""));
  expect(await loadOnSpark(source, target, OPTIONS)).toMatchObject({ rowsRead: 98, filesDone: 1, isUpToDate: false });

  await endHere(source, at("mixed-undisturbed"));
  expect(await contentOf(target)).toEqual(await contentOf(at("mixed-undisturbed")));
  expect(await idsOf(Table.open(target))).toEqual(good(1600).filter((id) => id !== 1501));
});

test("a run on Spark that another one overtakes reads the place again, in a partitioned table under a condition", async () => {
  await write(at("race/a.csv"), HEADER + csvLines(0, 1100));
  const [source, target] = [at("race"), at("race-target")];
  const options: Options = { ...OPTIONS, partitionBy: ["id"], where: "id < 10 or id > 1000" };
  await loadHere(source, target, 1, options);
  const onSpark = loadOnSpark(source, target, options, { meanwhile: at("race") });
  while (!(await readdir(at("race"))).includes("staged")) await new Promise((resolve) => setTimeout(resolve, 50));
  await loadHere(at("race"), target, 1, options);
  await write(at("race/committed"), "");
  expect(await onSpark).toMatchObject({ event: "done", isUpToDate: false });
  expect(await idsOf(Table.open(target))).toEqual(good(1100).filter((id) => id < 10 || id > 1000));
  expect(await deadIdsOf(join(target, "_dead_letters"))).toEqual(range(0, 1100).filter(isBad));
  const history = await Table.open(target).history();
  const steps = history.flatMap(({ userMetadata, operationParameters }) => {
    const facts = typeof userMetadata === "string" ? JSON.parse(userMetadata) : operationParameters;
    return facts?.batch === undefined ? [] : [Number(facts.batch)];
  });
  expect(steps.toSorted((a, b) => a - b)).toEqual(range(1, steps.length + 1));
});

test("letters that a crash kept from their table are committed by the other engine", async () => {
  await write(at("late/a.csv"), HEADER + csvLines(0, 300));
  const late = { ...OPTIONS, batchBytes: 4000 };
  expect(await loadOnSpark(at("late"), at("late-target"), late, { crash: "letters" })).toEqual({ event: "killed" });
  const letters = at("late-target/_dead_letters");
  expect(await Table.open(letters).count()).toBe(0);
  await loadHere(at("late"), at("late-target"), 1, late);
  const found = await deadIdsOf(letters);
  expect(found).toEqual(range(0, 300).filter(isBad).slice(0, found.length));
  expect(found.length).toBeGreaterThan(1);
  // As a crash here leaves it: the newest batch's letters are written, and nobody knows them.
  const log = (await readdir(join(letters, "_delta_log"))).filter((name) => /^\d+\.json$/.test(name)).sort();
  await rm(join(letters, "_delta_log", log.at(-1)!));
  expect(await loadOnSpark(at("late"), at("late-target"), late)).toMatchObject({ event: "done" });
  expect(await deadIdsOf(letters)).toEqual(range(0, 300).filter(isBad));
  expect(await idsOf(Table.open(at("late-target")))).toEqual(good(300));
});

test("what one engine has loaded of 600 files the other knows; changes are refused, ignored, or all is begun anew", async () => {
  const file = (id: number) => at(`many/${String(id).padStart(4, "0")}.csv`);
  for (const id of range(0, 600)) await write(file(id), `${HEADER}${id},n,1\n`);
  const target = at("many-target");
  expect(await loadOnSpark(at("many"), target, OPTIONS)).toMatchObject({ filesDone: 600, batches: 1 });
  const [job] = await readdir(join(target, "_delta_log/_loads"));
  const state = await readdir(join(target, "_delta_log/_loads", job!));
  expect(state.filter((name) => name.endsWith(".files"))).toHaveLength(1);
  await write(file(600), `${HEADER}600,n,1\n`);
  expect(await endHere(at("many"), target)).toMatchObject({ filesDone: 1, rowsRead: 1 });
  expect(await loadOnSpark(at("many"), target, OPTIONS)).toMatchObject({ isUpToDate: true });
  await write(file(3), `${HEADER}7,another,1\n`);
  await expect(loadOnSpark(at("many"), target, OPTIONS)).rejects.toMatchObject({ code: "DELTA_LOAD_SOURCE_CHANGED" });
  const ignoring = { ...OPTIONS, ignoreChange: true };
  expect(await loadOnSpark(at("many"), target, ignoring)).toMatchObject({ rowsRead: 0, filesDone: 1 });
  expect(await loadOnSpark(at("many"), target, { ...OPTIONS, restart: true })).toMatchObject({ rowsRead: 601 });
  expect(await Table.open(target).count()).toBe(1202);
  expect(await endHere(at("many"), target)).toMatchObject({ isUpToDate: true });
});

test("columns are added, late ones too, values rescued, and too many bad records stop a load", async () => {
  await write(at("wide/a.csv"), "id,name\n1,a\n");
  const target = at("wide-target");
  await endHere(at("wide"), target, {});
  await write(at("wide/b.jsonl"), '{"id":2,"more":{"x":1.5}}\n');
  expect(await loadOnSpark(at("wide"), target, { mergeSchema: true })).toMatchObject({ rowsLoaded: 1 });
  await write(at("wide/c.csv"), "id,name\nno,c\n");
  const limited = loadOnSpark(at("wide"), target, { mergeSchema: true, maxBadRecords: 0 });
  expect(await limited).toMatchObject({ event: "error", code: "DELTA_LOAD_TOO_MANY_BAD_RECORDS" });
  const rescuing = { mergeSchema: true, job: "rescuing", rescuedDataColumn: "_rest" };
  expect(await loadOnSpark(at("wide/c.csv"), target, rescuing)).toMatchObject({ rowsLoaded: 1, rowsDead: 0 });
  // Behind what is looked at when the job is written.
  const plain = `{"id":4,"name":"${"n".repeat(1000)}"}\n`.repeat(300);
  await write(at("wide/d.jsonl"), `${plain}{"id":5,"more":{"y":[true]}}\n{"id":6,"late":1.5}\n{"id":7,"late":1}\n`);
  expect(await loadOnSpark(at("wide"), target, { mergeSchema: true })).toMatchObject({ rowsLoaded: 303, rowsDead: 1 });
  const rows = (await Table.open(target).toArray()).filter(({ id }) => id !== 4n);
  expect(rows.sort((a, b) => Number(a.id ?? 3) - Number(b.id ?? 3))).toEqual([
    { id: 1n, name: "a", more: null, _rest: null, late: null },
    { id: 2n, name: null, more: { x: 1.5, y: null }, _rest: null, late: null },
    { id: null, name: "c", more: null, _rest: '{"id":"no"}', late: null },
    { id: 5n, name: null, more: { x: null, y: [true] }, _rest: null, late: null },
    { id: 6n, name: null, more: null, _rest: null, late: 1.5 },
    { id: 7n, name: null, more: null, _rest: null, late: 1 },
  ]);
});

test("a load ends the same though each run ends before or after any of the things that it does, whoever goes on", async () => {
  const seed = Number(process.env.LOAD_SEED ?? 1);
  console.info(`LOAD_SEED=${seed}`);
  const random = seeded(seed);
  await write(at("kills/a.csv"), HEADER + csvLines(0, 6000));
  await write(at("kills/b.jsonl"), range(6000, 8000).map(jsonLine).join(""));
  const [source, target] = [at("kills"), at("kills-target")];
  // A batch is eight or nine things at most, a run's beginning two.
  for (let run = 0; run < (isLong ? 6 : 3); run++) {
    const kill = { at: 1 + random.below(run === 0 ? 6 : 11), isAfter: random.below(2) === 0 };
    expect(await loadOnSpark(source, target, OPTIONS, { kill }), JSON.stringify(kill)).toEqual({ event: "killed" });
    if (random.below(3) === 0) await loadHere(source, target, 1, OPTIONS);
  }
  expect(await endHere(source, target)).toMatchObject({ isUpToDate: false });
  await endHere(source, at("kills-undisturbed"));
  expect(await contentOf(target)).toEqual(await contentOf(at("kills-undisturbed")));
  expect(await idsOf(Table.open(target))).toEqual(good(8000));
});

test("a Python process of Spark's that comes too late for it is started again", async () => {
  await write(at("late-python/a.csv"), HEADER + csvLines(0, 300));
  // Spark waits 10 seconds for the process that reads a stream's source.
  const script = `#!/bin/sh
case "$*" in *python_streaming_source_runner*) echo started >> "${at("starts")}"; [ -e "${at("once")}" ] || { touch "${at("once")}"; sleep 12; } ;; esac
exec "${await installPython()}" "$@"
`;
  await chmod(await write(at("python"), script), 0o755);
  const [source, target] = [at("late-python"), at("late-python-target")];
  const options = { batchBytes: BATCH_BYTES, env: { PYSPARK_PYTHON: at("python") } };
  expect(await loadByCommand(source, target, options)).toMatchObject({ event: "done", isUpToDate: false });
  // The second one may be late as well, where the machine is slow.
  expect(await readFile(at("starts"), "utf8")).toMatch(/^(started\n){2,}$/);
  expect(await idsOf(Table.open(target))).toEqual(good(300));
});
