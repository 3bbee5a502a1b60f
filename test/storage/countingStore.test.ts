import { expect, it } from "vitest";
import { memoryStore } from "#src/storage/memory.js";
import { describeStore } from "../contract/store.js";
import { countingStore } from "./countingStore.js";

describeStore("a counting store", async () => ({ store: countingStore(memoryStore()) }));

it("notes each call with its path", async () => {
  const store = countingStore(memoryStore());
  await store.put("a", Uint8Array.of(1));
  await store.putIfAbsent("b", Uint8Array.of(1));
  await store.get("a");
  await store.head("a");
  await store.listNames("x/");
  for await (const _ of store.list("")) break;
  await store.delete("a");
  expect(store.count()).toBe(7);
  expect(store.count("get")).toBe(1);
  expect(store.take()).toEqual(["put a", "putIfAbsent b", "get a", "head a", "listNames x/", "list ", "delete a"]);
  expect(store.count()).toBe(0);
});
