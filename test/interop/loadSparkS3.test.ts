import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { LoadOptions } from "#src/load/loadOptions.js";
import { s3Store } from "#src/storage/s3.js";
import type { ObjectStore } from "#src/storage/store.js";
import { seeded } from "../crash/random.js";
import { isLong } from "../form.js";
import { csvLines, HEADER, idsOf, isBad, range, SCHEMA, write } from "../load/loadFixture.js";
import { type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";
import { contentOf, loadByCommand, loadHere, loadOnSpark } from "./sparkLoads.js";

const BATCH_BYTES = 12_000;
const good = (to: number) => range(0, to).filter((id) => !isBad(id));
const choices = await s3Servers();
const choice = choices.find(({ skip }) => skip === undefined) ?? choices[0]!;

describe.skipIf(choice.skip)(`a load on Spark into S3 on ${choice.name}${choice.skip ?? ""}`, () => {
  let [server, proxy, store, local] = [] as unknown as [S3Server, FaultProxy, ObjectStore, string];
  /** Reaches the server itself. */
  let options: LoadOptions<object> = {};
  /** Spark's way, for all tests: Hadoop keeps the first one that it is told for a bucket. */
  let onSpark: LoadOptions<object> = {};
  const url = (name: string) => `s3://${server.bucket}/${name}`;

  beforeAll(async () => {
    server = await choice.start();
    proxy = await startFaultProxy(server.endpoint);
    store = s3Store(`s3://${server.bucket}`, server.options);
    local = await mkdtemp(join(tmpdir(), "delta-load-spark-s3-"));
    options = { schema: SCHEMA, batchBytes: BATCH_BYTES, storage: { s3: server.options } };
    onSpark = { ...options, storage: { s3: { ...server.options, endpoint: proxy.endpoint } } };
  });
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]();
    await proxy?.close();
    await server?.stop();
    await rm(local, { recursive: true, force: true });
  });

  test("goes from one engine to the other, with sources, dead letters and progress on S3, whoever is killed", async () => {
    await store.put("turns/a.csv.gz", gzipSync(HEADER + csvLines(0, 900)));
    await store.put("turns/b.csv", Buffer.from(HEADER + csvLines(900, 1500)));
    const [source, target] = [url("turns/*.csv*"), url("turns-table")];
    expect(await loadOnSpark(source, target, onSpark, { batches: 1 })).toEqual({ event: "killed" });
    await using table = Table.open(target, options.storage);
    const begun = (await idsOf(table)).length;
    expect(begun).toBeGreaterThan(0);
    await loadHere(source, target, 1, options);
    expect((await idsOf(table)).length).toBeGreaterThan(begun);
    expect(await loadOnSpark(source, target, onSpark)).toMatchObject({ event: "done", isUpToDate: false });
    expect(await table.load(source, options)).toMatchObject({ isUpToDate: true });
    await store.put("turns/c.csv", Buffer.from(HEADER + csvLines(1500, 1600)));
    expect(await loadOnSpark(source, target, onSpark)).toMatchObject({ rowsRead: 100, filesDone: 1 });
    const undisturbed = url("turns-undisturbed");
    await using other = Table.open(undisturbed, options.storage);
    await other.load(source, options);
    expect(await contentOf(target, options)).toEqual(await contentOf(undisturbed, options));
    expect(await idsOf(table)).toEqual(good(1600));
  });

  test("doesn't overwrite a version that another one claims after Spark has looked, and knows its own whose answer was lost", async () => {
    const source = await write(join(local, "race.csv"), HEADER + csvLines(0, 2400));
    const target = url("race-table");
    await loadHere(source, target, 1, options);
    await using table = Table.open(target, options.storage);
    expect(await table.version()).toBe(0);
    let release = () => {};
    const until = new Promise<void>((resolve) => (release = resolve));
    const held = new Promise<void>((onHit) => {
      proxy.add({ method: "PUT", target: /race-table\/_delta_log\/0+1\.json/, fault: { kind: "hold", until }, onHit });
    });
    let lost = 0;
    const onHit = () => lost++;
    const answer = /race-table\/_delta_log\/0+3\.json/;
    proxy.add({ method: "PUT", target: answer, fault: { kind: "drop-answer" }, onHit });
    const loading = loadOnSpark(source, target, onSpark);
    await held;
    await loadHere(source, target, 1, options);
    release();
    expect(await loading).toMatchObject({ event: "done", isUpToDate: false });
    expect(lost).toBe(1);
    const undisturbed = join(local, "race-undisturbed");
    await Table.open(undisturbed).load(source, { ...options, storage: {} } as LoadOptions);
    expect(await contentOf(target, options)).toEqual(await contentOf(undisturbed));
    expect(await idsOf(table)).toEqual(good(2400));
  });

  test("ends the same when its processes are killed at random moments", async () => {
    const seed = Number(process.env.LOAD_SEED ?? 1);
    const random = seeded(seed);
    const source = await write(join(local, "killed.csv"), HEADER + csvLines(0, 6000));
    const target = url("killed-table");
    const moments: number[] = [];
    for (let run = 0; run < (isLong ? 2 : 1); run++) {
      const delayMs = random.below(1500);
      moments.push(delayMs);
      await loadByCommand(source, target, { env: server.env, batchBytes: BATCH_BYTES, killedMs: delayMs });
    }
    console.info(`LOAD_SEED=${seed}: killed ${moments.join(" and ")} ms after a commit`);
    await using table = Table.open(target, options.storage);
    const loaded = (await idsOf(table)).length;
    expect(loaded).toBeGreaterThan(0);
    expect(loaded).toBeLessThan(good(6000).length);
    // A Spark of the command's own takes a minute to start.
    const ended = isLong
      ? await loadByCommand(source, target, { env: server.env, batchBytes: 1_000_000 })
      : await loadOnSpark(source, target, { ...onSpark, batchBytes: 1_000_000 });
    expect(ended).toMatchObject({ event: "done", isUpToDate: false });
    expect(await table.load(source, options)).toMatchObject({ isUpToDate: true });
    const undisturbed = join(local, "killed-undisturbed");
    await Table.open(undisturbed).load(source, { ...options, storage: {} } as LoadOptions);
    expect(await contentOf(target, options)).toEqual(await contentOf(undisturbed));
    expect(await idsOf(table)).toEqual(good(6000));
  });
});
