import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { Action } from "#src/log/actions.js";
import { commitPath } from "#src/log/names.js";
import { localStore } from "#src/storage/local.js";
import { isLong } from "../form.js";
import { add, metaData, PROTOCOL, putCommit } from "./build.js";

const child = new URL("./checkpointMemoryChild.mjs", import.meta.url).pathname;
const FILES = 300_000;
const PER_COMMIT = 1000;
const MB = 1_000_000;

const V2_PROTOCOL: Action = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ["v2Checkpoint"],
    writerFeatures: ["v2Checkpoint"],
  },
};

const statsOf = (n: number) =>
  JSON.stringify({
    numRecords: 1000,
    minValues: { id: n * 1000, name: `customer-${n}`, at: "2024-01-31T12:00:00.123Z" },
    maxValues: { id: n * 1000 + 999, name: `customer-${n}-zzz`, at: "2024-02-28T12:00:00.456Z" },
    nullCount: { id: 0, name: n % 5, at: 0 },
  });

async function aboveStart(root: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, root]);
  return JSON.parse(stdout).aboveStart;
}

const CASES: readonly {
  readonly kind: string;
  readonly protocol: Action;
  readonly configuration: Record<string, string>;
  readonly fromCommits: number;
}[] = [
  { kind: "classic", protocol: PROTOCOL, configuration: {}, fromCommits: 300 * MB },
  { kind: "V2", protocol: V2_PROTOCOL, configuration: { "delta.checkpointPolicy": "v2" }, fromCommits: 300 * MB },
];

it.runIf(isLong).each(CASES)(
  "a $kind checkpoint of 300,000 files takes bounded memory",
  async ({ protocol, configuration, fromCommits }) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "delta-memory-"));
    try {
      const store = localStore(root, { fsync: false });
      await putCommit(store, 0, protocol, metaData(configuration));
      for (let version = 1; version <= FILES / PER_COMMIT; version++) {
        const first = (version - 1) * PER_COMMIT;
        const adds = Array.from({ length: PER_COMMIT }, (_, i) =>
          add(`part-${String(first + i).padStart(5, "0")}-5fba94ed-9794-4965-ba6e-6ee3c0d22af9-c000.parquet`, {
            stats: statsOf(first + i),
          }),
        );
        await putCommit(store, version, ...adds);
      }
      expect(fs.existsSync(path.join(root, commitPath(300)))).toBe(true);
      // From the commits alone, then from the checkpoint that this made.
      expect(await aboveStart(root)).toBeLessThan(fromCommits);
      await putCommit(store, 301, add("one more"));
      expect(await aboveStart(root)).toBeLessThan(300 * MB);
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  },
);
