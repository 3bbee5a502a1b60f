import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { commitPath } from "#src/log/names.js";
import { encodePath } from "#src/log/paths.js";
import { runtime } from "#src/runtime.js";
import { openStore } from "#src/storage/open.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { putVectors } from "../log/deletionVectorBytes.js";
import { type FaultProxy, startFaultProxy } from "../servers/faultProxy.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

const UUID = "d2c639aa-8816-431a-aaf6-d3fe2512ff61";
const DAYS = ["a b%20+", "x:y/z", "=é日", null];
const ROWS = Array.from({ length: 8 }, (_, id) => ({ id: BigInt(id), day: DAYS[id % 4]! }));
/** The second row of each partition is removed by a deletion vector. */
const LEFT = ROWS.slice(0, 4);
const NEW = { id: 100n, day: "new" };

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`a shallow clone of a table on S3, ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    let proxy: FaultProxy;
    let local: string;
    // The log spells this key's folder otherwise: as a URI.
    const freshKey = () => `the source %41+ü/${runtime.randomUUID()}`;
    const key = freshKey();
    let source: string;
    const tables: Table[] = [];

    const options = () => ({ s3: { ...server.options, endpoint: proxy.endpoint } });
    const freshUrl = () => `s3://${server.bucket}/${runtime.randomUUID()}`;
    function open(at: string, dataRoots: readonly string[] = [source]): Table {
      const table = Table.open(at, { ...options(), dataRoots });
      tables.push(table);
      return table;
    }
    async function rowsOf(table: Table): Promise<unknown> {
      return (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));
    }
    async function withStore<T>(at: string, use: (store: ObjectStore) => Promise<T>): Promise<T> {
      await using store = openStore(at, options());
      return use(store);
    }

    beforeAll(async () => {
      server = await choice.start();
      proxy = await startFaultProxy(server.endpoint);
      local = await mkdtemp(join(tmpdir(), "delta-clone-"));
      source = `s3://${server.bucket}/${key}`;
      await makeTable(source);
    });
    beforeEach(() => proxy.reset());
    afterAll(async () => {
      for (const table of tables) await table[Symbol.asyncDispose]();
      await proxy?.close();
      await server?.stop();
      if (local) await rm(local, { recursive: true, force: true });
    });

    async function makeTable(at: string): Promise<void> {
      await open(at, []).append(ROWS, { partitionBy: ["day"], properties: { "delta.enableDeletionVectors": "true" } });
    }

    /** Makes a clone as Spark does: another table's files, and their vectors, by absolute paths. */
    async function cloneTo(target: string, scheme = "s3a", from = key): Promise<void> {
      const source = `s3://${server.bucket}/${from}`;
      const root = `${scheme}://${server.bucket}/${encodePath(from)}`;
      const [vector] = await withStore(source, (store) => putVectors(store, UUID, [[1]]));
      const deletionVector = {
        ...vector!,
        storageType: "p",
        pathOrInlineDv: `${root}/deletion_vector_${UUID}.bin`,
      };
      const commit = await withStore(source, (store) => store.get(commitPath(0)));
      const lines = Buffer.from(commit)
        .toString()
        .trimEnd()
        .split("\n")
        .map((line) => {
          const { add, ...action } = JSON.parse(line);
          return JSON.stringify(add ? { add: { ...add, path: `${root}/${add.path}`, deletionVector } } : action);
        });
      await withStore(target, (store) => store.put(commitPath(0), Buffer.from(`${lines.join("\n")}\n`)));
      proxy.reset();
    }

    /** What was asked of the source. */
    const askedOfSource = () => proxy.requests.filter((request) => request.includes(key));

    it.each(["s3", "s3a", "s3n"])(
      "has the source's rows where its log spells them %s:, however both are opened",
      async (scheme) => {
        const at = freshUrl();
        await cloneTo(at, scheme);
        for (const root of [source, `${source}/`, `s3a://${server.bucket}/${key}`, `s3n://${server.bucket}`]) {
          expect(await rowsOf(open(at, [root])), root).toEqual(LEFT);
        }
        expect(await rowsOf(open(at.replace("s3:", "s3a:"), ["s3://elsewhere/t", local, source]))).toEqual(LEFT);
        expect(askedOfSource().every((request) => request.startsWith("GET"))).toBe(true);
      },
    );

    it("is counted, skipped, verified and told of without changing the source", async () => {
      const at = freshUrl();
      await cloneTo(at);
      const table = open(at);
      expect(await table.count()).toBe(LEFT.length);
      proxy.reset();
      expect(await table.toArray({ where: { day: "x:y/z" } })).toEqual([ROWS[1]]);
      const files = askedOfSource().filter((request) => request.includes(".parquet"));
      expect(files.map((request) => request.includes("/day=x%3Ay%2Fz/"))).toEqual(files.map(() => true));
      expect(files).not.toEqual([]);
      expect((await table.verify()).findings).toEqual([]);
      expect((await table.changes({ from: 0 }).toArray()).map(({ id }) => Number(id)).sort()).toEqual([0, 1, 2, 3]);
      expect(proxy.requests.filter((request) => /^(PUT|POST|DELETE) /.test(request))).toEqual([]);
    });

    it("is refused without the source among its roots, before the source is asked for anything", async () => {
      const at = freshUrl();
      await cloneTo(at);
      for (const roots of [[], [`${source}2`], [`s3://other/${key}`], [`${source}/day=a`], [local]]) {
        await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => open(at, roots).toArray());
      }
      expect(askedOfSource()).toEqual([]);
      expect((await open(at, []).schema()).fields.map(({ name }) => name)).toEqual(["id", "day"]);
    });

    it("goes on in its own folder, and keeps the source's files in its checkpoints", async () => {
      const at = freshUrl();
      await cloneTo(at);
      await open(at).append([NEW]);
      expect(askedOfSource()).toEqual([]);
      await open(at).checkpoint();
      await withStore(at, (store) => store.delete(commitPath(0)));
      expect(await rowsOf(open(at))).toEqual([...LEFT, NEW]);
      expect(await rowsOf(open(source, []))).toEqual(ROWS);
    });

    it("may lie on a local disk", async () => {
      const at = join(local, "clone");
      await cloneTo(at);
      expect(await rowsOf(open(at))).toEqual(LEFT);
      await open(at).append([NEW]);
      expect(await rowsOf(open(at, ["s3://elsewhere", `s3a://${server.bucket}/`]))).toEqual([...LEFT, NEW]);
      await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => open(at, [local]).toArray());
    });

    it("[R-FILE-5] [R-FILE-7] is no clone where the absolute paths are the table's own", async () => {
      const own = freshKey();
      const at = `s3://${server.bucket}/${own}`;
      await makeTable(at);
      await cloneTo(at, "s3a", own);
      expect(await rowsOf(open(at, []))).toEqual(LEFT);
      expect(await rowsOf(open(at.replace("s3:", "s3n:"), []))).toEqual(LEFT);
    });
  });
}
