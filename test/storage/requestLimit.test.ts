import { expect, it } from "vitest";
import { RequestLimit } from "#src/storage/requestLimit.js";

it("lets so many in at once, the others in turn", async () => {
  const limit = new RequestLimit(2);
  const entered: number[] = [];
  const leave: (() => void)[] = [];
  const enter = async (n: number) => {
    leave[n] = await limit.enter(undefined, "test");
    entered.push(n);
  };
  const all = [0, 1, 2, 3, 4].map(enter);
  await new Promise(setImmediate);
  expect(entered).toEqual([0, 1]);
  leave[1]?.();
  await new Promise(setImmediate);
  expect(entered).toEqual([0, 1, 2]);
  leave[0]?.();
  leave[2]?.();
  await Promise.all(all);
  expect(entered).toEqual([0, 1, 2, 3, 4]);
  leave[3]?.();
  leave[4]?.();
  await limit.enter(undefined, "test");
  await limit.enter(undefined, "test");
});

it("gives up its place in the queue when the signal fires", async () => {
  const limit = new RequestLimit(1);
  const leave = await limit.enter(undefined, "test");
  const stop = new AbortController();
  const aborted = limit.enter(stop.signal, "test");
  const next = limit.enter(undefined, "test");
  stop.abort();
  await expect(aborted).rejects.toMatchObject({ code: "DELTA_ABORTED" });
  leave();
  (await next)();
  await limit.enter(undefined, "test");
  await expect(limit.enter(AbortSignal.abort(), "test")).rejects.toMatchObject({ code: "DELTA_ABORTED" });
});
