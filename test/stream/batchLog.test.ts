import { describe, expect, it } from "vitest";
import { DeltaError } from "#src/errors.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { BatchLog } from "#src/stream/batchLog.js";
import { expectCode } from "../expectCode.js";
import { textOf } from "./streams.js";

/** A store whose puts have this outcome; those that `write` are done before. */
function answering(inner: ObjectStore, outcome: "exists" | "unknown", write: boolean): ObjectStore {
  return new Proxy(inner, {
    get(target, name) {
      if (name !== "putIfAbsent") return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name);
      return async (path: string, bytes: Uint8Array) => {
        if (write) await target.putIfAbsent(path, bytes);
        return outcome;
      };
    },
  });
}

describe("a file of a checkpoint's log", () => {
  it("is of one run: another one's isn't taken for it, the same one is", async () => {
    const store = memoryStore();
    const log = new BatchLog(store, "offsets/");
    await log.add("0", ["{}", '{"logOffset":1}']);
    await log.add("0", ["{}", '{"logOffset":1}']);
    await expectCode("DELTA_CONCURRENT_TRANSACTION", () => log.add("0", ["{}", '{"logOffset":2}']));
    expect(await textOf(store, "offsets/0")).toBe('v1\n{}\n{"logOffset":1}');
  });

  it("is looked for where the answer says nothing", async () => {
    for (const outcome of ["exists", "unknown"] as const) {
      const store = memoryStore();
      await new BatchLog(answering(store, outcome, true), "offsets/").add("0", ["{}"]);
      expect(await textOf(store, "offsets/0")).toBe("v1\n{}");
    }
    const never = new BatchLog(answering(memoryStore(), "unknown", false), "offsets/");
    const error = await expectCode("DELTA_COMMIT_OUTCOME_UNKNOWN", () => never.add("0", ["{}"]));
    expect(error).toBeInstanceOf(DeltaError);
  });

  it("is told apart from what isn't one", async () => {
    const store = memoryStore();
    for (const name of ["10", "9", ".9.crc", "x", "11.compact"]) await store.put(`offsets/${name}`, new Uint8Array(1));
    expect(await new BatchLog(store, "offsets/").ids()).toEqual([9, 10]);
  });
});
