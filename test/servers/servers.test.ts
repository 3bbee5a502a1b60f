import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { installed, SERVERS_FOLDER } from "./install.js";
import { s3Servers } from "./servers.js";

for (const choice of await s3Servers()) {
  it.skipIf(choice.skip)(`${choice.name} starts twice at once, and stops${choice.skip ?? ""}`, async () => {
    const [one, two] = await Promise.all([choice.start(), choice.start()]);
    expect(one.endpoint).not.toBe(two.endpoint);
    for (const server of [one, two]) {
      expect((await fetch(server.endpoint)).status).toBeGreaterThan(0);
      await server.stop();
      await expect(fetch(server.endpoint)).rejects.toThrow();
    }
  });
}

it("the guard ends its server and removes its folder when its parent is killed", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "delta-guard-"));
  const guard = fileURLToPath(new URL("guard.mjs", import.meta.url));
  const serverScript = "console.log(process.pid); setInterval(() => {}, 1000)";
  const parentScript = `require("node:child_process").spawn(process.execPath, ${JSON.stringify([guard, folder, process.execPath, "-e", serverScript])}, { stdio: ["pipe", "inherit", "inherit"] })`;
  const parent = spawn(process.execPath, ["-e", parentScript], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(parent.stdout, "data");
  const server = Number(String(line));
  expect(isAlive(server)).toBe(true);
  parent.kill("SIGKILL");
  while (isAlive(server) || fs.existsSync(folder)) await new Promise((resolve) => setTimeout(resolve, 20));
});

describe("an installation", () => {
  it("is made once, whoever asks, and again after a failure", async () => {
    const name = `test-${process.pid}`;
    let runs = 0;
    try {
      await expect(
        installed(name, async () => {
          throw new Error("no network");
        }),
      ).rejects.toThrow("no network");
      const install = async (folder: string) => {
        runs++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        fs.writeFileSync(path.join(folder, "program"), "");
      };
      const folders = await Promise.all([installed(name, install), installed(name, install), installed(name, install)]);
      expect(runs).toBe(1);
      for (const folder of folders) expect(fs.existsSync(path.join(folder, "program"))).toBe(true);
    } finally {
      fs.rmSync(path.join(SERVERS_FOLDER, name), { recursive: true, force: true });
    }
  });

  it("takes over the lock of a process that died", async () => {
    const name = `test-dead-${process.pid}`;
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    fs.mkdirSync(SERVERS_FOLDER, { recursive: true });
    fs.writeFileSync(path.join(SERVERS_FOLDER, `${name}.lock`), String(child.pid));
    try {
      let runs = 0;
      await installed(name, async () => {
        runs++;
      });
      expect(runs).toBe(1);
    } finally {
      fs.rmSync(path.join(SERVERS_FOLDER, name), { recursive: true, force: true });
    }
  });
});

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
