import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { classicCheckpointPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { type Expected, judgeOnDisk } from "./judge.js";
import { SCENARIOS } from "./scenarios.js";
import { Disk, type Image } from "./states.js";
import { record, TABLE } from "./world.js";

// The product doesn't leave any of these behind; a disk that lies, or another program, may.
const DAMAGES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  "is empty": () => new Uint8Array(0),
  "is cut after a byte": (bytes) => bytes.slice(0, 1),
  "is cut in the middle": (bytes) => bytes.slice(0, bytes.length >> 1),
  "lacks its last byte": (bytes) => bytes.slice(0, -1),
  "is all zeros": (bytes) => new Uint8Array(bytes.length),
  "is half zeros": (bytes) => bytes.map((byte, at) => (at < bytes.length >> 1 ? byte : 0)),
  "has zeros in front": (bytes) => bytes.map((byte, at) => (at < bytes.length >> 1 ? 0 : byte)),
};

let whole: Image;
let expected: Expected;
beforeAll(async () => {
  const name = "appends, which writes checkpoints";
  const { trace, history } = await record(SCENARIOS.find((scenario) => scenario.name === name)!);
  whole = new Disk(trace).whole();
  expected = { whole, acknowledged: history, history };
});

const LAST = path.join(TABLE, LAST_CHECKPOINT_PATH);
const NEWEST = path.join(TABLE, classicCheckpointPath(4));

describe.each([
  ["_last_checkpoint", [LAST]],
  ["the newest checkpoint", [NEWEST]],
  ["both", [LAST, NEWEST]],
])("where %s", (_, damaged) => {
  it.each(Object.keys(DAMAGES))("%s, nothing is lost and the next append works", async (damage) => {
    const files = new Map(whole.files);
    for (const file of damaged) files.set(file, DAMAGES[damage](whole.files.get(file)!));
    expect(await judgeOnDisk({ ...whole, files }, expected)).toBeUndefined();
  });
});

it("nothing is lost where _last_checkpoint points at a checkpoint that isn't there", async () => {
  const files = new Map(whole.files);
  files.delete(NEWEST);
  expect(await judgeOnDisk({ ...whole, files }, expected)).toBeUndefined();
});
