import path from "node:path";
import { hasProgram, installed, runProgram } from "./install.js";
import { CREDENTIALS, REGION, type S3ServerCommand } from "./s3Server.js";

const VERSION = "1.8.0";

/** versitygw on its posix back end, built by Go; undefined where there is no Go. It checks credentials and signatures. */
export async function versitygw(): Promise<S3ServerCommand | undefined> {
  if (!(await hasProgram("go", ["version"]))) return undefined;
  const folder = await installed(`versitygw-${VERSION}`, async (target) => {
    await runProgram("go", ["install", `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`], { GOBIN: target });
  });
  return {
    name: "versitygw",
    command: path.join(folder, process.platform === "win32" ? "versitygw.exe" : "versitygw"),
    args: (port, data) => ["--port", `127.0.0.1:${port}`, "--region", REGION, "--keep-alive", "--quiet", "posix", data],
    env: () => ({ ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey }),
  };
}
