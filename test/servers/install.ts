import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { runtime } from "#src/runtime.js";

/** What the servers of the tests need and leave; git ignores it. Everything is started from the repository's root. */
export const SERVERS_FOLDER = path.resolve(".cache/servers");

const POLL_MS = 200;
const run = promisify(execFile);

/**
 * Makes `.cache/servers/<name>` by `install`, once for all test processes: the first one works, the others wait for it.
 * A folder that is complete carries a marker file; one that isn't is made anew.
 */
export async function installed(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(SERVERS_FOLDER, name);
  const marker = path.join(folder, ".installed");
  fs.mkdirSync(SERVERS_FOLDER, { recursive: true });
  while (!fs.existsSync(marker)) {
    const lock = `${folder}.lock`;
    if (!takeLock(lock)) {
      await runtime.sleep(POLL_MS);
      continue;
    }
    try {
      if (fs.existsSync(marker)) break;
      fs.rmSync(folder, { recursive: true, force: true });
      fs.mkdirSync(folder, { recursive: true });
      await install(folder);
      fs.writeFileSync(marker, "");
    } finally {
      fs.rmSync(lock, { force: true });
    }
  }
  return folder;
}

/** A lock is a file with its owner's process id, linked into place whole; one whose owner is gone is removed. */
function takeLock(lock: string): boolean {
  const mine = `${lock}.${process.pid}`;
  fs.writeFileSync(mine, String(process.pid));
  try {
    fs.linkSync(mine, lock);
    return true;
  } catch {
    const owner = readOwner(lock);
    if (owner !== undefined && !isAlive(owner)) fs.rmSync(lock, { force: true });
    return false;
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

function readOwner(lock: string): number | undefined {
  try {
    return Number(fs.readFileSync(lock, "utf8"));
  } catch {
    return undefined;
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Runs a program to its end; its output is part of the error when it fails. */
export async function runProgram(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(command, args, { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** True where a program can be started. */
export async function hasProgram(command: string, args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
