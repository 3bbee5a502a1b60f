import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Table } from "#src/index.js";
import { replaceRuntime } from "#src/runtime.js";
import { expectCode } from "../expectCode.js";

type Row = { id: bigint };

let folder: string;
let at: string;
let restore = () => {};
beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "delta-local-faults-")));
  at = path.join(folder, "table");
  restore = replaceRuntime({ sleep: async () => {} });
});
afterEach(() => {
  restore();
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

const open = () => Table.open<Row>(at);
const ids = async (table: Table<Row>) => (await table.toArray()).map(({ id }) => Number(id)).sort((a, b) => a - b);
const content = () => fs.readdirSync(at, { recursive: true }).map(String).sort();
const commit = (version: number) => path.join(at, "_delta_log", `${String(version).padStart(20, "0")}.json`);
const systemError = (code: string) => Object.assign(new Error(code), { code });

async function filled(rows: number): Promise<Table<Row>> {
  const table = open();
  for (let id = 0; id < rows; id++) await table.append([{ id: BigInt(id) }]);
  return table;
}

async function printed<T>(script: string, args: readonly string[], shell = "", options = {}): Promise<T> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const command =
    shell === "" ? [process.execPath, file, ...args] : ["bash", "-c", shell, process.execPath, file, ...args];
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "inherit"], ...options });
  let text = "";
  for await (const chunk of child.stdout!) text += chunk;
  return JSON.parse(text);
}

const notLinux = process.platform === "linux" ? "" : " (skipped: Linux only)";
const isRoot = process.getuid?.() === 0;

describe("each call of the file system that a verb makes", () => {
  it.skipIf(notLinux)(`may fail: the answer is right or a clear error, and the next run works${notLinux}`, async () => {
    interface Report {
      readonly tried: number;
      readonly codes: Record<string, number>;
      readonly violations: string[];
      readonly resources: { readonly before: string[]; readonly after: string[] };
    }
    const report = await printed<Report>("localMatrixChild.mjs", [folder]);
    expect(report.violations).toEqual([]);
    expect(report.resources.after.filter((name) => !report.resources.before.includes(name))).toEqual([]);
    expect(report.tried).toBeGreaterThan(500);
    expect(Object.keys(report.codes).sort()).toEqual([
      "DELTA_ACCESS_DENIED",
      "DELTA_COMMIT_OUTCOME_UNKNOWN",
      "DELTA_DISK_FULL",
      "DELTA_STORAGE_FAILED",
      "DELTA_STORAGE_UNAVAILABLE",
    ]);
  });
});

describe("a process that has no file descriptors left", () => {
  it.skipIf(notLinux)(`is told to try again, in threads too, and works when it has some${notLinux}`, async () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => ({ id: BigInt(i), text: `row ${Math.sin(i)}` }));
    await Table.open(at).append(rows);
    interface Report {
      readonly codes: Record<string, Record<string, number>>;
      readonly problems: string[];
    }
    const report = await printed<Report>("descriptorsChild.mjs", [at], 'ulimit -n 250; exec "$0" "$@"');
    expect(report.problems).toEqual([]);
    for (const verb of ["append", "read", "other", "checkpoint"]) {
      expect(report.codes[verb]?.DELTA_STORAGE_UNAVAILABLE, verb).toBeGreaterThan(0);
      expect(report.codes[verb]?.ok, verb).toBeGreaterThan(0);
    }
  });
});

describe("a module that is loaded on first use", () => {
  const wants = `for want of descriptors isn't loaded yet, and is when there are some${notLinux}`;
  it.skipIf(notLinux).each([[[]], [["warm"]]])(`${wants} %j`, async (warm) => {
    await filled(2);
    type Outcomes = Record<string, readonly unknown[]>;
    const outcomes = await printed<Outcomes>("loadingChild.mjs", [at, ...warm], 'ulimit -n 250; exec "$0" "$@"');
    const notYet = "DELTA_STORAGE_UNAVAILABLE retry EMFILE";
    const { sdk, ...others } = outcomes;
    expect(others).toEqual({
      read: [notYet, true],
      where: [notYet, 1],
      append: [notYet, 0],
      checkpoint: [notYet, true],
    });
    // What it says then depends on whether the environment has credentials.
    expect(sdk).toEqual([notYet, expect.not.stringContaining("EMFILE")]);
  });
});

describe("a user without rights", () => {
  const skip = !isRoot || notLinux ? " (skipped: only root can be somebody else)" : "";
  it.skipIf(skip)(`reads what may be read, and is told the rest${skip}`, async () => {
    await filled(2);
    const before = content();
    fs.chmodSync(folder, 0o755);
    const asNobody = () => printed("otherUserChild.mjs", [at], "", { uid: 65_534, gid: 65_534 });
    const denied = "DELTA_ACCESS_DENIED fix-environment";
    expect(await asNobody()).toEqual({ count: 2, ids: [0, 1], append: denied, checkpoint: denied });
    fs.chmodSync(path.join(at, "_delta_log"), 0o700);
    expect(await asNobody()).toEqual({ count: denied, ids: denied, append: denied, checkpoint: denied });
    fs.chmodSync(path.join(at, "_delta_log"), 0o755);
    for (const name of fs.readdirSync(at)) if (name.endsWith(".parquet")) fs.chmodSync(path.join(at, name), 0o600);
    expect(await asNobody()).toEqual({ count: 2, ids: denied, append: denied, checkpoint: denied });
    fs.chmodSync(folder, 0o700);
    expect(await asNobody()).toEqual({ count: denied, ids: denied, append: denied, checkpoint: denied });
    expect(content()).toEqual(before);
  });
});

describe("a file system without hard links", () => {
  it.each(["EPERM", "ENOTSUP", "ENOSYS", "EINVAL", "EMLINK", "EXDEV"])(
    "takes no commit and keeps nothing of it; tables on it can be read (%s)",
    async (code) => {
      await filled(1);
      const before = content();
      vi.spyOn(fs, "linkSync").mockImplementation(() => {
        throw systemError(code);
      });
      const error = await expectCode("DELTA_HARD_LINKS_UNSUPPORTED", () => open().append([{ id: 1n }]));
      expect(error.kind).toBe("fix-environment");
      expect(content()).toEqual(before);
      expect(await ids(open())).toEqual([0]);
      await open().checkpoint();
      vi.restoreAllMocks();
      expect((await open().append([{ id: 1n }])).version).toBe(1);
    },
  );
});

describe("a link that fails after it took effect, or whose answer is lost", () => {
  it.each(["EIO", "EEXIST", "ETIMEDOUT", "EACCES"])("is a commit (%s)", async (code) => {
    const table = await filled(1);
    const { linkSync } = fs;
    vi.spyOn(fs, "linkSync").mockImplementationOnce((from, to) => {
      linkSync(from, to);
      throw systemError(code);
    });
    expect((await table.append([{ id: 1n }])).version).toBe(1);
    expect(await ids(open())).toEqual([0, 1]);
  });

  it("is put again where a file server didn't answer in time and hasn't done it", async () => {
    const table = await filled(1);
    vi.spyOn(fs, "linkSync").mockImplementationOnce(() => {
      throw systemError("ETIMEDOUT");
    });
    expect((await table.append([{ id: 1n }])).version).toBe(1);
    expect(await ids(open())).toEqual([0, 1]);
  });
});

describe("a flush that fails after the claim", () => {
  it("isn't success: the commit is seen and may be lost, its files stay, the same load again is skipped", async () => {
    const table = await filled(1);
    const { fsync, linkSync } = fs;
    let claimed = false;
    vi.spyOn(fs, "linkSync").mockImplementation((from, to) => {
      linkSync(from, to);
      claimed = true;
    });
    vi.spyOn(fs, "fsync").mockImplementation((fd, done) => {
      if (claimed && fs.fstatSync(fd).isDirectory()) done?.(systemError("EIO"));
      else fsync(fd, done);
    });
    const load = () => table.append([{ id: 1n }], { txn: { appId: "load", version: 1 } });
    const error = await expectCode("DELTA_COMMIT_OUTCOME_UNKNOWN", load);
    expect(error.data).toMatchObject({ version: 1, txnId: (await open().history())[0]?.txnId });
    vi.restoreAllMocks();
    expect(await ids(open())).toEqual([0, 1]);
    expect(await load()).toMatchObject({ skipped: true, version: 1 });
  });
});

describe("a folder that is removed, renamed or unmounted", () => {
  it("under a long-lived handle is an error of every verb, and isn't made anew", async () => {
    const table = await filled(2);
    const other = open();
    await other.version();
    fs.renameSync(at, `${at}-elsewhere`);
    for (const handle of [table, other]) {
      for (const verb of [
        () => handle.append([{ id: 2n }]),
        () => handle.count(),
        () => handle.toArray(),
        () => handle.checkpoint(),
        () => handle.version(),
      ]) {
        const error = await expectCode("DELTA_STORAGE_FAILED", verb);
        expect(error.kind).toBe("fix-environment");
        expect(fs.existsSync(at)).toBe(false);
      }
    }
    await expectCode("DELTA_TABLE_NOT_FOUND", () => open().count());
    fs.renameSync(`${at}-elsewhere`, at);
    expect((await table.append([{ id: 2n }])).version).toBe(2);
    expect(await ids(other)).toEqual([0, 1, 2]);
  });

  it("and made anew is a new table for a new handle", async () => {
    await filled(3);
    fs.rmSync(at, { recursive: true });
    expect((await open().append([{ id: 7n }])).version).toBe(0);
    expect(await ids(open())).toEqual([7]);
  });

  it.each(["before the data file", "before the claim"])(
    "in the middle of an append leaves no half table (%s)",
    async (when) => {
      const table = await filled(2);
      const { linkSync } = fs;
      vi.spyOn(fs, "linkSync").mockImplementationOnce((from, to) => {
        if (when === "before the claim") fs.rmSync(at, { recursive: true });
        linkSync(from, to);
      });
      async function* rows() {
        yield { id: 2n };
        if (when === "before the data file") fs.rmSync(at, { recursive: true });
      }
      await expectCode("DELTA_STORAGE_FAILED", () => table.append(rows()));
      expect(fs.existsSync(path.join(at, "_delta_log"))).toBe(false);
      await expectCode("DELTA_TABLE_NOT_FOUND", () => open().version());
      expect((await open().append([{ id: 2n }])).version).toBe(0);
    },
  );

  it("in the middle of a read is an error, not fewer rows", async () => {
    await filled(30);
    const seen: number[] = [];
    await expect(async () => {
      for await (const { id } of open().rows()) {
        if (seen.push(Number(id)) === 1) fs.rmSync(at, { recursive: true });
      }
    }).rejects.toMatchObject({ name: "DeltaError" });
    expect(seen.length).toBeLessThan(30);
  });
});

describe("names that are something else", () => {
  it("a commit that is a folder", async () => {
    const table = await filled(2);
    fs.mkdirSync(commit(2));
    const before = content();
    const error = await expectCode("DELTA_STORAGE_FAILED", () => table.append([{ id: 2n }]));
    expect(error.data).toMatchObject({ path: commit(2) });
    expect(content()).toEqual(before);
    expect(await ids(open())).toEqual([0, 1]);
    fs.rmdirSync(commit(2));
    expect((await table.append([{ id: 2n }])).version).toBe(2);
  });

  it("a commit in the middle that became a folder", async () => {
    await filled(3);
    fs.rmSync(commit(1));
    fs.mkdirSync(commit(1));
    const error = await expectCode("DELTA_VERSIONS_NOT_CONTIGUOUS", () => open().toArray());
    expect(error.data).toMatchObject({ missing: 1 });
  });

  it("a log that is a file", async () => {
    fs.mkdirSync(at);
    fs.writeFileSync(path.join(at, "_delta_log"), "x");
    await expectCode("DELTA_TABLE_NOT_FOUND", () => open().count());
    await expectCode("DELTA_STORAGE_FAILED", () => open().append([{ id: 0n }]));
    expect(content()).toEqual(["_delta_log"]);
  });

  it("a data file that is a folder", async () => {
    const table = await filled(1);
    const [file] = await table.files();
    fs.rmSync(path.join(at, file!.path));
    fs.mkdirSync(path.join(at, file!.path));
    await expectCode("DELTA_FILE_NOT_FOUND", () => open().toArray());
    expect(await open().count()).toBe(1);
  });

  it("a path that leads through a file, or whose parts are too long", async () => {
    fs.writeFileSync(path.join(folder, "file"), "x");
    at = path.join(folder, "file", "table");
    await expectCode("DELTA_TABLE_NOT_FOUND", () => open().count());
    const through = await expectCode("DELTA_STORAGE_FAILED", () => open().append([{ id: 0n }]));
    expect(through.data).toMatchObject({ system: "ENOTDIR" });
    at = path.join(folder, "x".repeat(300));
    const long = await expectCode("DELTA_STORAGE_FAILED", () => open().append([{ id: 0n }]));
    expect(long.data).toMatchObject({ system: "ENAMETOOLONG" });
    expect(fs.readdirSync(folder)).toEqual(["file"]);
  });

  it("a partition value that is too long for a folder", async () => {
    const table = Table.open(at);
    await table.append([{ id: 0n, day: "monday" }], { partitionBy: ["day"] });
    const before = content();
    const rows = [
      { id: 1n, day: "tuesday" },
      { id: 2n, day: "x".repeat(300) },
    ];
    const error = await expectCode("DELTA_STORAGE_FAILED", () => table.append(rows));
    expect(error.data).toMatchObject({ system: "ENAMETOOLONG" });
    // The folder of the other value stays, empty.
    expect(content().filter((name) => name !== "day=tuesday")).toEqual(before);
    expect((await table.append(rows.slice(0, 1))).version).toBe(1);
  });
});

it("threads start whatever options of Node the program has", async () => {
  const script = `
    const { Table } = await import("#src/index.js");
    const rows = Array.from({ length: 200_000 }, (_, i) => ({ id: BigInt(i), text: "row " + Math.sin(i) }));
    console.log((await Table.open(${JSON.stringify(at)}).append(rows)).rowCount);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  expect(text).toBe("200000\n");
});
