import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import type { Stream } from "#src/stream/stream.js";
import { Life } from "./dyingStore.js";

const MINUTE = 60_000;
const START = Date.parse("2026-01-01T00:00:00Z");

/** Commits of six events; the ids 5 and 11 come twice, and time goes on by ten minutes a commit. */
async function eventTable({ commits, partitionBy }: Scenario): Promise<Table> {
  const table = Table.open(memoryStore());
  for (let commit = 0; commit < commits; commit++) {
    const rows = Array.from({ length: 6 }, (_, i) => ({
      id: BigInt(commit * 6 + i - (i === 0 && commit > 0 && commit < 3 ? 1 : 0)),
      at: new Date(START + commit * 10 * MINUTE + i * MINUTE),
      half: i % 2,
    }));
    await table.append(rows, { partitionBy });
  }
  return table;
}

const sorted = (rows: readonly object[]) =>
  rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}n` : value))).sort();

interface Scenario {
  readonly commits: number;
  readonly partitionBy?: readonly string[];
  readonly streamOf: (source: Table) => Stream<never>;
}

const first = { maxFilesPerTrigger: 1, startingVersion: 0 };
const scenarios: Record<string, Scenario> = {
  "without state": { commits: 4, streamOf: (source) => source.stream(first) as never },
  "of commits of several files": {
    commits: 2,
    partitionBy: ["half"],
    streamOf: (source) => source.stream(first) as never,
  },
  "of a table's own files first": {
    commits: 2,
    partitionBy: ["half"],
    streamOf: (source) => source.stream({ maxFilesPerTrigger: 3 }) as never,
  },
  "that drops duplicates": {
    commits: 4,
    streamOf: (source) =>
      source
        .stream(first)
        .withWatermark("at", { delayMs: 10 * MINUTE })
        .dropDuplicates(["id"]) as never,
  },
  "that counts by windows": {
    commits: 4,
    streamOf: (source) =>
      source
        .stream(first)
        .withWatermark("at", { delayMs: 0 })
        .countByWindow({ sizeMs: 10 * MINUTE }) as never,
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  const { streamOf } = scenario;
  describe(`a stream ${name}`, () => {
    it("gives the same rows, once each, wherever it is killed between two writes", async () => {
      const source = await eventTable(scenario);
      const whole = new Life();
      const undisturbed = await run(source, streamOf, [whole]);
      expect(undisturbed.length).toBeGreaterThan(0);
      expect(whole.writes).toBeGreaterThan(6);
      for (let at = 0; at < whole.writes; at++) {
        for (const takesEffect of [false, true]) {
          const lives = [new Life(at, takesEffect), new Life()];
          expect([at, takesEffect, await run(source, streamOf, lives)]).toEqual([at, takesEffect, undisturbed]);
          expect(lives[0]!.isOver).toBe(true);
        }
      }
    });

    it("gets there though each run is killed soon", async () => {
      const source = await eventTable(scenario);
      const undisturbed = await run(source, streamOf, [new Life()]);
      const lives = Array.from({ length: 200 }, (_, n) => new Life(n % 11, n % 2 === 0));
      expect(await run(source, streamOf, [...lives, new Life()])).toEqual(undisturbed);
    });
  });
}

/** Runs the stream in one process after the other, each until it is killed; the rows of the table it comes to. */
async function run(
  source: Table,
  streamOf: (source: Table) => Stream<never>,
  lives: readonly Life[],
): Promise<string[]> {
  const [target, checkpoint] = [memoryStore(), memoryStore()];
  for (const life of lives) {
    try {
      await streamOf(source).toTable(Table.open(life.store(target)), { checkpoint: life.store(checkpoint) });
    } catch (error) {
      if (!life.isOver) throw error;
    }
  }
  return sorted(await Table.open(target).toArray());
}
