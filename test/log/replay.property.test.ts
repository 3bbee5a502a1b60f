import { expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { serializeCommit } from "#src/log/commitFile.js";
import { classicCheckpointPath, commitPath } from "#src/log/names.js";
import { loadSnapshot, type Snapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import fc from "../fastCheck.js";
import { add, liveFiles, metaData, PROTOCOL, remove, tombstonePaths } from "./build.js";

/** A file by one of its spellings, with or without a deletion vector. */
interface Name {
  readonly file: number;
  readonly spelling: number;
  readonly vector: number;
}

const SPELLINGS = [
  (file: number) => `p=a%20b/f${file}.parquet`,
  (file: number) => `p=a%20b/%66${file}.parquet`,
  (file: number) => `./p=a%20b//f${file}.parquet`,
];

const name = fc.record({ file: fc.nat(5), spelling: fc.nat(2), vector: fc.nat(2) });
const path = ({ file, spelling }: Name) => SPELLINGS[spelling]!(file);
const vectorOf = ({ vector }: Name) =>
  vector === 0
    ? {}
    : { deletionVector: { storageType: "u", pathOrInlineDv: "v", offset: vector, sizeInBytes: 1, cardinality: 1 } };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(name, fc.nat(99)).map(([n, size]) => add(path(n), { size, ...vectorOf(n) })) },
  { weight: 3, arbitrary: name.map((n) => remove(path(n), { deletionTimestamp: 5000, ...vectorOf(n) })) },
  fc.record({ appId: fc.constantFrom("x", "y", "__proto__"), version: fc.nat(9) }).map((txn) => ({ txn })),
  fc.nat(9).map((k) => metaData({ k: String(k) })),
  fc
    .record({ domain: fc.constantFrom("d", "e"), configuration: fc.constantFrom("1", "2"), removed: fc.boolean() })
    .map((domainMetadata) => ({ domainMetadata })),
);

const keyOf = (n: { path: string; deletionVector?: { offset?: number } }) => {
  const file = /(?:f|%66)(\d)\.parquet$/.exec(n.path)![1];
  return `${file}/${n.deletionVector?.offset ?? 0}`;
};

/** The state by the book: one map of the whole table. */
function naive(commits: readonly (readonly Action[])[]): object {
  const live = new Map<string, { size: number; path: string }>();
  const removed = new Map<string, string>();
  const transactions: Record<string, number> = Object.create(null);
  const domains: Record<string, string> = {};
  let configuration = {};
  for (const one of commits.flat()) {
    if ("add" in one) {
      live.set(keyOf(one.add), { size: one.add.size, path: one.add.path });
      removed.delete(keyOf(one.add));
    } else if ("remove" in one) {
      live.delete(keyOf(one.remove));
      removed.set(keyOf(one.remove), one.remove.path);
    } else if ("txn" in one) transactions[one.txn.appId] = Number(one.txn.version);
    else if ("metaData" in one) configuration = one.metaData.configuration;
    else if ("domainMetadata" in one) {
      const { domain, configuration: text, removed: gone } = one.domainMetadata;
      if (gone) delete domains[domain];
      else domains[domain] = text;
    }
  }
  return {
    live: [...live].map(([key, file]) => `${key} ${file.path} ${file.size}`).sort(),
    removed: [...removed.values()].sort(),
    transactions: Object.entries(transactions).sort(),
    domains: Object.entries(domains).sort(),
    configuration,
  };
}

async function stateOf(snapshot: Snapshot): Promise<object> {
  const files = (await liveFiles(snapshot)) as { path: string; size: number; deletionVector?: { offset?: number } }[];
  return {
    live: files.map((file) => `${keyOf(file)} ${file.path} ${file.size}`).sort(),
    removed: await tombstonePaths(snapshot),
    transactions: [...snapshot.transactions.values()].map((txn) => [txn.appId, Number(txn.version)]).sort(),
    domains: [...snapshot.domainMetadata.values()].map((one) => [one.domain, one.configuration]).sort(),
    configuration: snapshot.metadata.configuration,
  };
}

test("replay of any actions, with checkpoints at any point, equals replay without and the book", async () => {
  const restore = replaceRuntime({ now: () => 6000 });
  const commit = fc.array(action, { maxLength: 6 });
  const commits = fc.array(fc.tuple(commit, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 8 });
  try {
    await fc.assert(
      fc.asyncProperty(commits, fc.infiniteStream(fc.nat()), async (steps, choose) => {
        const store = memoryStore();
        const log: Action[][] = [[PROTOCOL, metaData()]];
        await store.put(commitPath(0), serializeCommit(log[0]!));
        let kept = await loadSnapshot(store);
        let refreshed = kept;
        const older: { snapshot: Snapshot; version: number }[] = [];
        let newestCheckpoint = -1;
        for (const [actions, withCheckpoint, withRefresh] of steps) {
          const version = log.push(actions) - 1;
          await store.put(commitPath(version), serializeCommit(actions));
          older.push({ snapshot: kept, version: version - 1 });
          kept = kept.advance(version, actions);
          if (withRefresh) refreshed = await refreshed.refresh();
          if (!withCheckpoint) continue;
          await writeCheckpoint(store, await loadSnapshot(store));
          newestCheckpoint = version;
          kept = await loadSnapshot(store);
        }
        const last = log.length - 1;
        const expected = naive(log);
        expect(await stateOf(kept), "advanced").toEqual(expected);
        expect(await stateOf(await refreshed.refresh()), "refreshed").toEqual(expected);
        expect(await stateOf(await loadSnapshot(store)), "loaded").toEqual(expected);
        const back = choose.next().value! % log.length;
        expect(await stateOf(await loadSnapshot(store, { version: back })), "loaded, past").toEqual(
          naive(log.slice(0, back + 1)),
        );
        for (const past of older) {
          expect(await stateOf(past.snapshot), "kept, past").toEqual(naive(log.slice(0, past.version + 1)));
        }
        if (newestCheckpoint >= 0) {
          for (let version = 0; version < newestCheckpoint; version++) {
            await store.delete(commitPath(version));
            if (version > 0) await store.delete(classicCheckpointPath(version));
          }
          expect(await stateOf(await loadSnapshot(store, { version: last })), "cleaned up").toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  } finally {
    restore();
  }
});
