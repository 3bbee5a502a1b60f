import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { localStore } from "#src/storage/local.js";
import { system, tmpfs } from "./tmpfs.js";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "delta-failures-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

const bytes = (size: number) => new Uint8Array(size).fill(7);
const systemError = (code: string) => Object.assign(new Error(code), { code });

describe("a full disk", () => {
  it.for([100_000, 2_000_000])("keeps nothing of an object that doesn't fit (%i bytes)", async (size, { skip }) => {
    const reason = tmpfs(folder);
    if (reason) {
      console.warn(`skipped, a full disk: ${reason}`);
      skip(reason);
    }
    try {
      const store = localStore(folder);
      const filler = bytes(1024 * 1024 - size / 2 > 0 ? 1024 * 1024 - size / 2 : 4096);
      await store.put("filler", filler);
      const before = fs.readdirSync(folder);
      const full = { code: "DELTA_DISK_FULL", kind: "fix-environment" };
      await expect(store.put("big", bytes(size))).rejects.toMatchObject(full);
      await expect(store.putIfAbsent("big", bytes(size))).rejects.toMatchObject(full);
      expect(fs.readdirSync(folder)).toEqual(before);
      await store.delete("filler");
      expect(await store.putIfAbsent("small", bytes(10))).toBe("created");
    } finally {
      system("umount", folder);
    }
  });

  it.each(["ENOSPC", "EDQUOT"])("is told from %s, which may come as late as the flush", async (code) => {
    vi.spyOn(fs, "fsync").mockImplementation((_fd, done) => done?.(systemError(code)));
    const store = localStore(folder);
    await expect(store.put("a", bytes(10))).rejects.toMatchObject({ code: "DELTA_DISK_FULL" });
    await expect(store.putIfAbsent("a", bytes(10))).rejects.toMatchObject({ code: "DELTA_DISK_FULL" });
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe("a folder that can't be written", () => {
  it("is DELTA_ACCESS_DENIED, and can be read", async ({ skip }) => {
    const isRoot = process.getuid?.() === 0;
    const reason = isRoot ? tmpfs(folder) : undefined;
    if (reason) {
      console.warn(`skipped, a read-only folder: ${reason}`);
      skip(reason);
    }
    const store = localStore(folder);
    await store.put("a", bytes(3));
    if (isRoot) system("mount", "-o", "remount,ro", folder);
    else fs.chmodSync(folder, 0o555);
    try {
      const denied = { code: "DELTA_ACCESS_DENIED", kind: "fix-environment" };
      await expect(store.put("b", bytes(3))).rejects.toMatchObject(denied);
      await expect(store.putIfAbsent("b", bytes(3))).rejects.toMatchObject(denied);
      await expect(store.put("new/b", bytes(3))).rejects.toMatchObject(denied);
      await expect(store.delete("a")).rejects.toMatchObject(denied);
      expect(await store.get("a")).toEqual(bytes(3));
    } finally {
      if (isRoot) system("umount", folder);
      else fs.chmodSync(folder, 0o755);
    }
  });
});

describe("a file system without hard links", () => {
  it.each(["EPERM", "ENOTSUP", "ENOSYS", "EMLINK", "EXDEV"])("is refused with advice (%s)", async (code) => {
    vi.spyOn(fs, "linkSync").mockImplementation(() => {
      throw systemError(code);
    });
    const store = localStore(folder);
    await expect(store.putIfAbsent("a", bytes(3))).rejects.toMatchObject({ code: "DELTA_HARD_LINKS_UNSUPPORTED" });
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe("other failures", () => {
  it("of the flush after the claim say that the object is there but may not last", async () => {
    const real = fs.fsync;
    vi.spyOn(fs, "fsync").mockImplementation((fd, done) =>
      fs.existsSync(path.join(folder, "a")) ? done?.(systemError("EIO")) : real(fd, done),
    );
    const store = localStore(folder);
    await expect(store.putIfAbsent("a", bytes(3))).rejects.toMatchObject({ code: "DELTA_COMMIT_OUTCOME_UNKNOWN" });
    expect(fs.readdirSync(folder)).toEqual(["a"]);
  });

  it("carry the system's code and the full path", async () => {
    const store = localStore(folder);
    await store.put("file", bytes(3));
    await expect(store.put("file/below", bytes(3))).rejects.toMatchObject({
      code: "DELTA_STORAGE_FAILED",
      data: { system: "ENOTDIR", path: path.join(folder, "file", "below") },
    });
    await expect(store.get("file/below")).rejects.toMatchObject({ code: "DELTA_FILE_NOT_FOUND" });
    expect(await store.head("file/below")).toBeUndefined();
    expect(await store.listNames("file/")).toEqual([]);
  });

  it("of too many open files may be repeated", async () => {
    vi.spyOn(fs, "openSync").mockImplementation(() => {
      throw systemError("EMFILE");
    });
    await expect(localStore(folder).get("a")).rejects.toMatchObject({
      code: "DELTA_STORAGE_UNAVAILABLE",
      kind: "retry",
    });
  });
});
