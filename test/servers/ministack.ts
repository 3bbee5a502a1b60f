import path from "node:path";
import { hasProgram, installed, runProgram } from "./install.js";
import type { S3ServerCommand } from "./s3Server.js";

const VERSION = "1.5.33";

/** ministack's S3 in a Python environment of its own; undefined where there is no Python. It takes any credentials. */
export async function ministack(): Promise<S3ServerCommand | undefined> {
  if (!(await hasProgram("python3", ["-c", "import venv, ensurepip"]))) return undefined;
  const folder = await installed(`ministack-${VERSION}`, async (target) => {
    await runProgram("python3", ["-m", "venv", target]);
    await runProgram(path.join(target, "bin", "python"), ["-m", "pip", "install", "-q", `ministack==${VERSION}`]);
  });
  return {
    name: "ministack",
    command: path.join(folder, "bin", "python"),
    args: () => ["-m", "ministack"],
    env: (port, data) => ({
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      S3_PERSIST: "1",
      S3_DATA_DIR: path.join(data, "objects"),
      PERSIST_STATE: "1",
      STATE_DIR: path.join(data, "state"),
      SERVICES: "s3",
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
    }),
  };
}
