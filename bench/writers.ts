import { type ChildProcess, spawn } from "node:child_process";
import { sample } from "./process.js";

/**
 * Starts writers, each a process that says `ready`, begins at a line on its standard input and ends when it is done; times them
 * from the line to the last one's end. `answer` is taken afterwards.
 */
export async function timeWriters(
  count: number,
  command: (writer: number) => readonly [string, ...string[]],
  answer: () => Promise<unknown>,
): Promise<void> {
  const writers: ChildProcess[] = [];
  for (let writer = 0; writer < count; writer++) {
    const [program, ...args] = command(writer);
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    writers.push(child);
    await new Promise((resolve) => child.stdout!.once("data", resolve));
  }
  await sample(() => {
    const ends = writers.map(
      (child) =>
        new Promise<void>((resolve, reject) =>
          child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`a writer ended with ${code}`)))),
        ),
    );
    for (const child of writers) child.stdin!.end("go\n");
    return Promise.all(ends);
  }, answer);
}
