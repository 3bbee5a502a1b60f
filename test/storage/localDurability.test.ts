import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { localStore } from "#src/storage/local.js";

let folder: string;
beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "delta-durable-")));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Notes flushes, links and renames as they happen, temporary names as "temp". */
function trace(): string[] {
  const steps: string[] = [];
  const nameOf = (file: fs.PathLike) => {
    const name = path.relative(folder, String(file));
    return /^\.delta-.*\.tmp$/.test(path.basename(name)) ? "temp" : name || ".";
  };
  const { fsync, linkSync, renameSync } = fs;
  vi.spyOn(fs, "fsync").mockImplementation((fd, done) => {
    steps.push(`fsync ${nameOf(fs.readlinkSync(`/proc/self/fd/${fd}`))}`);
    fsync(fd, done);
  });
  vi.spyOn(fs, "linkSync").mockImplementation((from, to) => {
    steps.push(`link ${nameOf(from)} ${nameOf(to)}`);
    linkSync(from, to);
  });
  vi.spyOn(fs, "renameSync").mockImplementation((from, to) => {
    steps.push(`rename ${nameOf(from)} ${nameOf(to)}`);
    renameSync(from, to);
  });
  return steps;
}

describe.skipIf(process.platform !== "linux")("flushing (seen through /proc, so on Linux only)", () => {
  it("flushes the file and what others made before it gets its name, and the folder after", async () => {
    const store = localStore(folder);
    fs.writeFileSync(path.join(folder, "others"), "x");
    const steps = trace();
    await store.put("a", Uint8Array.of(1));
    expect(steps.splice(0)).toEqual(["fsync temp", "fsync .", "rename temp a", "fsync ."]);
    await store.putIfAbsent("b", Uint8Array.of(1));
    expect(steps.splice(0)).toEqual(["fsync temp", "fsync .", "link temp b", "fsync ."]);
    await store.putIfAbsent("b", Uint8Array.of(1));
    expect(steps).toEqual([]);
  });

  it("flushes a new object under a name of its own, and its folder", async () => {
    const store = localStore(folder);
    await store.putNew("p=1/a", [Uint8Array.of(1)]);
    const steps = trace();
    await store.putNew("p=1/b", [Uint8Array.of(1)]);
    expect(steps).toEqual(["fsync p=1/b", "fsync p=1"]);
  });

  it("flushes the entries of new folders from the top down", async () => {
    fs.writeFileSync(path.join(folder, "others"), "x");
    const steps = trace();
    await localStore(path.join(folder, "x", "root")).put("p=1/q=2/a", Uint8Array.of(1));
    expect(steps).toEqual([
      "fsync .",
      "fsync x",
      "fsync x/root",
      "fsync x/root/p=1",
      "fsync temp",
      "fsync x/root/p=1/q=2",
      "rename temp x/root/p=1/q=2/a",
      "fsync x/root/p=1/q=2",
    ]);
  });

  it("flushes the entry of a folder that it finds empty: who made it may not have come to that", async () => {
    fs.mkdirSync(path.join(folder, "p=1"));
    const steps = trace();
    const store = localStore(folder);
    await store.putNew("p=1/a", [Uint8Array.of(1)]);
    await store.putNew("p=1/b", [Uint8Array.of(1)]);
    await localStore(folder).putNew("p=1/c", [Uint8Array.of(1)]);
    expect(steps.shift()).toBe("fsync .");
    expect(steps).toEqual(["a", "b", "c"].flatMap((name) => [`fsync p=1/${name}`, "fsync p=1"]));
  });

  it("writes to an empty folder also where it may not open the one that this is in", async () => {
    const store = localStore(path.join(folder, "mine"));
    fs.mkdirSync(store.url);
    const { openSync } = fs;
    vi.spyOn(fs, "openSync").mockImplementation((file, flags, mode) => {
      if (file === folder) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      return openSync(file, flags, mode);
    });
    await store.putNew("a", [Uint8Array.of(1)]);
    expect(await store.putIfAbsent("b", Uint8Array.of(1))).toBe("created");
  });

  it("flushes a folder that is to be settled", async () => {
    const store = localStore(folder);
    await store.put("p=1/a", Uint8Array.of(1));
    const steps = trace();
    await store.settle("p=1/");
    await store.settle("");
    expect(steps).toEqual(["fsync p=1", "fsync ."]);
  });

  it("flushes nothing with fsync: false", async () => {
    const store = localStore(folder, { fsync: false });
    const steps = trace();
    await store.put("p=1/a", Uint8Array.of(1));
    await store.putIfAbsent("b", Uint8Array.of(1));
    await store.putNew("c", [Uint8Array.of(1)]);
    await store.settle("");
    expect(steps).toEqual(["rename temp p=1/a", "link temp b"]);
  });
});

describe("temporary files", () => {
  it("are gone after each call", async () => {
    const store = localStore(folder);
    await store.put("a", new Uint8Array(10));
    await store.put("a", new Uint8Array(1_000_000));
    await store.putIfAbsent("b", new Uint8Array(10));
    await Promise.all(Array.from({ length: 10 }, () => store.putIfAbsent("c", new Uint8Array(10))));
    expect(fs.readdirSync(folder).sort()).toEqual(["a", "b", "c"]);
  });

  it("are gone after a signal in the middle of a large write", async () => {
    const stop = new AbortController();
    const { write } = fs;
    let writes = 0;
    vi.spyOn(fs, "write").mockImplementation(((...args: Parameters<typeof write>) => {
      writes++;
      stop.abort();
      write(...args);
    }) as typeof write);
    const store = localStore(folder);
    await expect(store.put("a", new Uint8Array(20_000_000), stop.signal)).rejects.toMatchObject({
      code: "DELTA_ABORTED",
    });
    expect(writes).toBe(1);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("left by a crash aren't listed; other hidden files are", async () => {
    const store = localStore(folder);
    fs.writeFileSync(path.join(folder, ".delta-6f9619ff-8b86-4d11-b42d-00c04fc964ff.tmp"), "half");
    fs.writeFileSync(path.join(folder, ".a.crc"), "x");
    expect(await store.listNames("")).toEqual([".a.crc"]);
    const listed: string[] = [];
    for await (const { path: at } of store.list("")) listed.push(at);
    expect(listed).toEqual([".a.crc"]);
  });

  it("and nothing half-written is all that a killed process leaves", async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("writeForever.mjs", import.meta.url)), folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      expect(line).toBe("created");
      if (++lines === 10) child.kill("SIGKILL");
    }
    expect((await exited)[1]).toBe("SIGKILL");
    const store = localStore(folder);
    const names = await store.listNames("");
    expect(names.length).toBeGreaterThanOrEqual(10);
    for (const name of names) {
      const bytes = await store.get(name);
      expect([name, bytes.length, bytes.every((byte) => byte === 7)]).toEqual([name, 700_000, true]);
    }
  });
});

describe("links", () => {
  it("to files count as files, those to folders aren't followed", async () => {
    const outside = fs.mkdtempSync(path.join(os.tmpdir(), "delta-outside-"));
    fs.writeFileSync(path.join(outside, "secret"), "x");
    const store = localStore(folder);
    await store.put("d/a", Uint8Array.of(1));
    fs.symlinkSync(path.join(folder, "d", "a"), path.join(folder, "link"));
    fs.symlinkSync(outside, path.join(folder, "out"));
    fs.symlinkSync(folder, path.join(folder, "d", "loop"));
    fs.symlinkSync(path.join(folder, "nowhere"), path.join(folder, "broken"));
    const listed: string[] = [];
    for await (const { path: at } of store.list("")) listed.push(at);
    expect(listed).toEqual(["d/a", "link"]);
    expect(await store.listNames("")).toEqual(["link"]);
    expect(await store.get("link")).toEqual(Uint8Array.of(1));
    fs.rmSync(outside, { recursive: true });
  });
});
