import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { FORMS, filled, NAMES, outcomeOf, type Row, VERBS } from "../ops/conflictMatrix.js";
import { spark } from "./engines.js";

/** What Delta's own transactions read and write where they do what a verb does. */
interface Staged {
  /** Null: it reads nothing. */
  readonly conditions: readonly string[] | null;
  readonly adds?: readonly string[];
  readonly changes_data?: boolean;
}

const LOSERS: Readonly<Record<string, Staged>> = {
  "append to a": { conditions: null, adds: ["a"] },
  "append to c": { conditions: null, adds: ["c"] },
  "overwrite all": { conditions: [], adds: ["c"] },
  "overwrite where a": { conditions: ["part = 'a'"], adds: ["a"] },
  "delete part a": { conditions: ["part = 'a'"] },
  "delete id 1": { conditions: ["part = 'a'", "id = 1"], adds: ["a"] },
  "update part b": { conditions: ["part = 'b'"], adds: ["b"] },
  "delete all": { conditions: [] },
  "optimize a": { conditions: ["part = 'a'"], adds: ["a"], changes_data: false },
};

const EXCEPTIONS: Readonly<Record<string, string>> = {
  committed: "committed",
  ConcurrentAppendException: "DELTA_CONCURRENT_APPEND",
  ConcurrentDeleteReadException: "DELTA_CONCURRENT_DELETE_READ",
  ConcurrentDeleteDeleteException: "DELTA_CONCURRENT_DELETE_DELETE",
  MetadataChangedException: "DELTA_METADATA_CHANGED",
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table-conflicts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Pairs of a loser and a winner, by what is different there and why. */
const DIFFERENCES: readonly (readonly [reason: string, pairs: readonly string[], forms?: readonly string[]])[] = [
  [
    "DELTA_METADATA_CHANGED: an append here goes on if its rows still fit",
    ["append to a", "append to c"].flatMap((loser) => [
      `${loser}, after append with a new column`,
      `${loser}, after set a property`,
    ]),
  ],
  [
    "DELTA_CONCURRENT_APPEND: files that were only rearranged are new ones there, removed ones here; a conflict in both",
    ["overwrite all", "overwrite where a", "delete part a", "delete id 1", "delete all"].map(
      (loser) => `${loser}, after optimize a`,
    ),
  ],
  [
    "DELTA_CONCURRENT_APPEND: there new files of the partition count, here those whose statistics may fit; then it is the file that went",
    ["delete id 1, after overwrite where a"],
  ],
  [
    "DELTA_CONCURRENT_APPEND: the same, where a file was written anew",
    ["delete id 1, after delete id 1"],
    ["copies", "blind appends pass"],
  ],
  [
    "DELTA_CONCURRENT_APPEND: the same, of an append, after which it goes on here",
    ["delete id 1, after append to a"],
    ["copies", "vectors"],
  ],
  ["DELTA_CONCURRENT_DELETE_READ: the same, of files that went", ["delete id 1, after restore version 1"]],
];

// The other forms take four minutes more.
const forms = process.env.LONG === "1" ? FORMS : FORMS.slice(0, 1);

test.each(forms)(
  "Delta's own transactions meet the same conflicts, but for what is listed: %s",
  async (form, properties) => {
    const peer = await spark();
    const differences: string[] = [];
    for (const loser of Object.keys(LOSERS)) {
      for (const winner of NAMES) {
        const path = join(folder, `${form} ${loser} ${winner}`.replaceAll(" ", "-"));
        const table = Table.open<Row>(path);
        await filled(table, properties);
        await peer.request("begin", { path, ...LOSERS[loser] });
        await VERBS[winner]!(table);
        const there = await peer.request<string>("finish", { path });
        const outcome = EXCEPTIONS[there] ?? there;
        if (outcome !== outcomeOf(form, loser, winner)) differences.push(`${loser}, after ${winner}: ${outcome}`);
      }
    }
    const expected = DIFFERENCES.flatMap(([reason, pairs, only]) => {
      const [outcome] = reason.split(":");
      return (only?.includes(form) ?? true) ? pairs.map((pair) => `${pair}: ${outcome}`) : [];
    });
    expect(differences.sort()).toEqual(expected.sort());
  },
);
