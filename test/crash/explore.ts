import path from "node:path";
import { isTempName } from "#src/storage/localFiles.js";
import { judgeInMemory, judgeOnDisk } from "./judge.js";
import type { Random } from "./random.js";
import { Disk, type Image } from "./states.js";
import { type Recording, TABLE } from "./world.js";

/** What was looked at. */
export interface Tally {
  /** Crashes: moments between two calls. */
  moments: number;
  /** States that the rules allow, over all moments. */
  allowed: number;
  /** Different states checked. */
  states: number;
  /** So many of them in memory by a run of the product; the rest equal one of these in all that the product looked at. */
  inMemory: number;
  /** And so many on the real file system. */
  onDisk: number;
}

export const NOTHING: Readonly<Tally> = { moments: 0, allowed: 0, states: 0, inMemory: 0, onDisk: 0 };

export interface Finding {
  readonly scenario: string;
  /** After so many calls. */
  readonly moment: number;
  readonly state: string;
  readonly violation: string;
}

export interface ExploreOptions {
  readonly random: Random;
  /** States of a moment at most. */
  readonly sample: number;
  /** One state in so many is made on the real file system as well. */
  readonly diskEvery: number;
}

/** What a run of the product saw of a state, and said. */
interface Verdict {
  readonly names: string;
  readonly looked: ReadonlyMap<string, Uint8Array | undefined>;
  readonly violation: string | undefined;
}

/** Looks at the states that crashes during the recorded run can leave; what is wrong with some. */
export async function* explore(recording: Recording, tally: Tally, options: ExploreOptions): AsyncGenerator<Finding> {
  const { scenario, trace, history, turn = 0 } = recording;
  const { random, sample, diskEvery } = options;
  const disk = new Disk(trace);
  const whole = disk.whole();
  const seen = new Set<string>();
  let verdicts: Verdict[] = [];
  let acknowledged: string[] = [];
  for (let moment = turn; moment <= trace.calls.length; moment++) {
    const { allowed, images } = disk.outcomes(moment, sample, random);
    tally.moments++;
    tally.allowed += allowed;
    const before = acknowledged.length;
    acknowledged = disk.acknowledged(moment);
    // More has to hold now.
    if (acknowledged.length > before) verdicts = [];
    const expected = { whole, acknowledged, history, repeatable: scenario.repeatable };
    for (const image of images) {
      const key = `${acknowledged.length} ${image.key}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const names = logNames(image);
      let verdict = verdicts.find((known) => known.names === names && looksSame(image, known.looked));
      if (verdict === undefined) {
        const looked = new Map<string, Uint8Array | undefined>();
        verdict = { names, looked, violation: await judgeInMemory(image, expected, looked) };
        verdicts.push(verdict);
        tally.inMemory++;
      }
      let { violation } = verdict;
      if (tally.states++ % diskEvery === 0) {
        tally.onDisk++;
        violation ??= await judgeOnDisk(image, expected);
      }
      if (violation !== undefined) yield { scenario: scenario.name, moment, state: image.key, violation };
    }
  }
}

function logNames({ files }: Image): string {
  const log = path.join(TABLE, "_delta_log");
  return [...files.keys()].filter((file) => path.dirname(file) === log && !isTempName(path.basename(file))).join(" ");
}

function looksSame({ files }: Image, looked: Verdict["looked"]): boolean {
  for (const [file, bytes] of looked) {
    const found = files.get(file);
    if (found !== bytes && (!found || !bytes || Buffer.compare(found, bytes) !== 0)) return false;
  }
  return true;
}
