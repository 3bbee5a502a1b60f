// Runs a server that may be killed: a line "kill" on stdin ends it by SIGKILL, "start" starts it again on the same port and
// folder. When stdin closes, as it does however the parent ends, the server is killed and its folder removed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

const [folder, command, ...args] = process.argv.slice(2);
let server;
let exited;

function start() {
  server = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  exited = once(server, "exit");
}

async function kill() {
  server.kill("SIGKILL");
  await exited;
}

start();
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "kill") await kill();
  else start();
  process.stdout.write(`${line}\n`);
}
await kill();
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
