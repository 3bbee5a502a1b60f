import { describe, expect, test } from "vitest";
import { memoryStore } from "#src/storage/memory.js";
import { pathBelow, withOtherRoots } from "#src/storage/otherRoots.js";
import type { ObjectStore } from "#src/storage/store.js";
import { describeStore } from "../contract/store.js";
import { expectCode } from "../expectCode.js";

describeStore("a store with other roots", async () => ({ store: withOtherRoots(memoryStore(), [memoryStore()]) }));

const bytes = Uint8Array.of(1, 2, 3);

/** A store that calls itself by this URL. */
async function named(url: string, path: string): Promise<ObjectStore> {
  const store = memoryStore();
  await store.put(path, bytes);
  return Object.defineProperty(store, "url", { value: url });
}

describe("objects below other roots", () => {
  test.each(["/data/source", "s3://bucket/source", "/"])("are read: %s", async (root) => {
    const store = withOtherRoots(memoryStore(), [await named("/data/other", "y"), await named(root, "p=1/x")]);
    const path = pathBelow(root, "p=1/x");
    expect(await store.get(path)).toEqual(bytes);
    expect(await store.get(path, { start: 1, end: 3 })).toEqual(bytes.slice(1));
    expect(await store.head(path)).toMatchObject({ path, sizeBytes: 3 });
    expect(await store.head(pathBelow(root, "z"))).toBeUndefined();
    await expectCode("DELTA_FILE_NOT_FOUND", () => store.get(pathBelow(root, "z")));
    expect(store.otherRoots).toEqual(["/data/other", root]);
  });

  test("are never changed or listed", async () => {
    const store = withOtherRoots(memoryStore(), [await named("/data/source", "x")]);
    for (const change of [
      () => store.put("/data/source/x", bytes),
      () => store.putNew("/data/source/y", [bytes]),
      () => store.putIfAbsent("/data/source/y", bytes),
      () => store.delete("/data/source/x"),
    ]) {
      await expectCode("DELTA_READ_ONLY", change);
    }
    expect(await store.listNames("")).toEqual([]);
    expect(await store.head("/data/source/x")).toMatchObject({ sizeBytes: 3 });
  });

  test("of a root of a similar name are not meant", async () => {
    const store = withOtherRoots(memoryStore(), [await named("/data/source", "x")]);
    await expectCode("DELTA_INVALID_ARGUMENT", () => store.get("/data/source2/x"));
  });

  test("a store without other roots stays what it is", () => {
    const store = memoryStore();
    expect(withOtherRoots(store, [])).toBe(store);
  });
});
