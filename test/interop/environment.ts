import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const project = findProject();
const cache = join(project, ".cache", "interop");
const here = join(project, "test", "interop");

/** The project's folder: the one whose package.json is this package's. */
function findProject(): string {
  let folder = fileURLToPath(new URL(".", import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = join(folder, "..");
  return folder;
}

/** Where the Python peers' scripts are. */
export const peersFolder = join(here, "peers");

/** A folder for what the peers themselves leave behind (Spark's warehouse, spill files). */
export const scratchFolder = join(cache, "scratch");

/** Installs the Python peers once, into a folder that git ignores; gives the path of their interpreter. */
export function installPython(): Promise<string> {
  const venv = join(cache, "venv");
  const python = process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
  return install("python", [join(here, "requirements.txt")], venv, python, async () => {
    await run(process.platform === "win32" ? "python" : "python3", ["-m", "venv", venv]);
    await run(python, ["-m", "pip", "install", "--quiet", "--no-input", "-r", join(here, "requirements.txt")]);
  });
}

/** Fetches the jars of Delta's implementation for Spark once, through Maven; gives the folder that holds them. */
export function installJars(): Promise<string> {
  const jars = join(cache, "jars");
  return install("jars", [join(here, "pom.xml")], jars, jars, () =>
    run("mvn", [
      "-q",
      "-B",
      "-f",
      join(here, "pom.xml"),
      `-Dmaven.repo.local=${join(cache, "maven")}`,
      `-DoutputDirectory=${jars}`,
      "-DincludeScope=runtime",
      "dependency:copy-dependencies",
    ]),
  );
}

/** Installs the peers for Node once, those of a folder's package.json; gives the folder that has them. */
export function installNode(from: string): Promise<string> {
  const folder = join(cache, "node");
  return install("node", [join(from, "package.json")], folder, join(folder, "node_modules"), async () => {
    await mkdir(folder, { recursive: true });
    await copyFile(join(from, "package.json"), join(folder, "package.json"));
    await run("npm", ["install", "--prefix", folder, "--silent", "--no-audit", "--no-fund", "--legacy-peer-deps"]);
  });
}

/**
 * Makes `folder` by `make` unless it was made from the same `inputs` before. A half-made one is thrown away, and of
 * several processes one installs while the others wait.
 */
async function install(
  name: string,
  inputs: readonly string[],
  folder: string,
  result: string,
  make: () => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(await readFile(input));
  const wanted = hash.digest("hex");
  const stamp = join(cache, `${name}.installed`);
  const installed = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted && existsSync(result);
  if (installed()) return result;
  await mkdir(scratchFolder, { recursive: true });
  await using _lock = await takeLock(join(cache, `${name}.lock`));
  if (installed()) return result;
  await rm(stamp, { force: true });
  await rm(folder, { recursive: true, force: true });
  await make();
  await writeFile(stamp, wanted);
  return result;
}

/** A lock held by a living process; one whose holder died is taken over. */
async function takeLock(path: string): Promise<AsyncDisposable> {
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: "wx" });
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await readFile(path, "utf8").catch(() => ""));
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", (error) =>
      reject(new Error(`${command} could not be started: is it installed?`, { cause: error })),
    );
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")} ended with exit code ${code}`)),
    );
  });
}
