import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { storeBelow } from "#src/storage/below.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import { describeStore } from "../contract/store.js";
import { expectCode } from "../expectCode.js";

const folder = await mkdtemp(join(tmpdir(), "delta-below-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
let stores = 0;

describeStore("memory, below a folder", async () => ({ store: storeBelow(memoryStore(), "a/b ü%/") }));
describeStore("a local disk, below a folder", async () => ({
  store: storeBelow(localStore(join(folder, String(stores++))), "a/b ü%/"),
}));

it("is a part of the other store, and leaves the rest alone", async () => {
  const whole = memoryStore("below");
  await whole.put("letters", Uint8Array.of(0));
  const part = storeBelow(whole, "letters/");
  await part.put("x/1", Uint8Array.of(1));
  expect(await whole.get("letters/x/1")).toEqual(Uint8Array.of(1));
  expect(part.url).toBe("memory:below/letters");
  expect(await part.listNames("x/")).toEqual(["x/1"]);
  expect((await part.head("x/1"))?.path).toBe("x/1");
  await part[Symbol.asyncDispose]();
  expect(await whole.head("letters")).toBeDefined();
});

it("can't be left, nor be no folder", async () => {
  const part = storeBelow(memoryStore(), "a/");
  for (const path of ["../b", "", "/", "x/../../b"]) {
    await expectCode("DELTA_INVALID_ARGUMENT", async () => part.get(path));
    await expectCode("DELTA_INVALID_ARGUMENT", async () => part.put(path, Uint8Array.of(1)));
  }
  for (const folder of ["a", "../", "/"]) {
    await expectCode("DELTA_INVALID_ARGUMENT", async () => storeBelow(memoryStore(), folder));
  }
});
