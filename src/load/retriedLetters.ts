import { DeltaError } from "../errors.js";
import { VERSION } from "../version.js";
import type { Json } from "./progress.js";

const STATE_FORMAT = 1;

/** Which letters of a job have been loaded, by the step and number in their names: ranges, both ends included. */
export class RetriedLetters {
  readonly #steps: Map<number, [number, number][]>;

  private constructor(steps: Map<number, [number, number][]>) {
    this.#steps = steps;
  }

  /** Throws `DELTA_LOAD_OPTIONS_CHANGED` where another release wrote the state in a form that this one doesn't know. */
  static of(job: string, state: Json | undefined): RetriedLetters {
    if (state === undefined) return new RetriedLetters(new Map());
    const { format, retried = {} } = state as { readonly format?: number; readonly retried?: Ranges };
    if (format !== STATE_FORMAT) {
      throw new DeltaError(
        "DELTA_LOAD_OPTIONS_CHANGED",
        `Another release of delta-table keeps which dead letters of "${job}" are loaded, in a form that this one doesn't know.`,
        { job, changes: [{ option: "state format", job: format, now: STATE_FORMAT }] },
      );
    }
    return new RetriedLetters(new Map(Object.entries(retried).map(([step, ranges]) => [Number(step), ranges])));
  }

  has(step: number, number: number): boolean {
    const ranges = this.#steps.get(step) ?? [];
    const at = ranges.findLastIndex(([from]) => from <= number);
    return at >= 0 && number <= ranges[at]![1];
  }

  /** The set with more letters in it. */
  with(letters: readonly { readonly step: number; readonly number: number }[]): RetriedLetters {
    const steps = new Map(this.#steps);
    for (const { step, number } of letters) steps.set(step, [...(steps.get(step) ?? []), [number, number]]);
    return new RetriedLetters(new Map([...steps].map(([step, ranges]) => [step, joined(ranges)])));
  }

  toJson(): Json {
    return { format: STATE_FORMAT, madeBy: `delta-table/${VERSION}`, retried: Object.fromEntries(this.#steps) };
  }
}

type Ranges = { readonly [step: string]: [number, number][] };

function joined(ranges: readonly [number, number][]): [number, number][] {
  const all: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last !== undefined && from <= last[1] + 1) all[all.length - 1] = [last[0], Math.max(last[1], to)];
    else all.push([from, to]);
  }
  return all;
}

/** The step and number that a letter's name ends in. */
export function letterNumber(id: string): { readonly step: number; readonly number: number } {
  const [, step, number] = /\/(\d+)\/(\d+)$/.exec(id) ?? [];
  return { step: Number(step), number: Number(number) };
}

/** The job that keeps which of a job's letters are loaded. */
export function retryJob(job: string): string {
  return `${job}/dead-letters`;
}
