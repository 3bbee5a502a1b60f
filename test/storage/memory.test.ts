import { expect, it } from "vitest";
import { memoryStore } from "#src/storage/memory.js";
import { openStore } from "#src/storage/open.js";
import { describeStore } from "../contract/store.js";

describeStore("memory", async () => ({ store: memoryStore() }));

it("shares objects by name within the process", async () => {
  await memoryStore("shared").put("a", Uint8Array.of(1));
  expect(await memoryStore("shared").get("a")).toEqual(Uint8Array.of(1));
  expect(await openStore("memory:shared").get("a")).toEqual(Uint8Array.of(1));
  expect(await memoryStore("other").head("a")).toBeUndefined();
  expect(await memoryStore().head("a")).toBeUndefined();
});
