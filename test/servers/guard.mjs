// Runs one server for a test process. When that process ends, however it ends, its end of our stdin closes: then the
// server is stopped by its id and its folder removed.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";

const [folder, command, ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
const end = (code) => {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  } finally {
    process.exit(code);
  }
};
server.on("exit", (code) => end(code ?? 1));
server.on("error", (error) => {
  console.error(error.message);
  end(1);
});
process.stdin.on("end", () => server.kill("SIGKILL"));
process.stdin.on("error", () => server.kill("SIGKILL"));
process.stdin.resume();
