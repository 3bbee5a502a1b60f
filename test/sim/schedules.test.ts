import { expect, it } from "vitest";
import { isLong } from "../form.js";
import { simulate } from "./program.js";

it("runs 10,000 schedules without a violation, and hits every fault at every point", async () => {
  const { code, output } = await simulate(undefined, "--schedules", "10000");
  expect(code, output).toBe(0);
});

const CHANGE_SCHEDULES = isLong ? 10_000 : 1000;

it(`runs ${CHANGE_SCHEDULES} schedules that change rows without a violation`, async () => {
  const { code, output } = await simulate(undefined, "--first", "50000", "--schedules", String(CHANGE_SCHEDULES));
  expect(code, output).toBe(0);
});

it.each([3, 53, 139, 1009, 50_005, 50_126])(
  "runs the schedule of seed %i to the same bytes each time, also after others",
  async (seed) => {
    const [first, second, later] = await Promise.all([
      simulate(undefined, "--seed", String(seed)),
      simulate(undefined, "--seed", String(seed)),
      simulate(undefined, "--hashes", "--first", String(seed - 3), "--schedules", "4"),
    ]);
    expect(first.code, first.output).toBe(0);
    expect(first.output.split("\n").length).toBeGreaterThan(20);
    expect(second.output).toBe(first.output);
    const hash = /^hash (\w+)$/m.exec(first.output)![1];
    expect(later.output.trim().split("\n").at(-1)).toBe(`${seed} ${hash}`);
  },
);

it("runs different seeds differently", async () => {
  const { output } = await simulate(undefined, "--hashes", "--schedules", "20");
  const hashes = output
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[1]);
  expect(new Set(hashes).size).toBe(20);
});
