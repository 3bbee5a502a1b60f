import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { StorageOptions } from "#src/storage/open.js";
import type { ObjectStore, PutOutcome } from "#src/storage/store.js";

/** What came of one racer's putIfAbsent. */
export interface RacerOutcome {
  readonly body: string;
  readonly outcome: PutOutcome;
}

/** Lets all racers put one key at once. */
export type Race = (key: string) => Promise<RacerOutcome[]>;

const CHILD = fileURLToPath(new URL("raceChild.mjs", import.meta.url));

/** Racers in processes of their own, which end when the returned function is called. */
export async function raceOfProcesses(
  processes: number,
  racers: number,
  location: string,
  options: StorageOptions,
): Promise<{ race: Race; end: () => Promise<void> }> {
  const argument = JSON.stringify({ location, options, racers });
  const children = await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = spawn(process.execPath, [CHILD, argument], { stdio: ["pipe", "pipe", "inherit"] });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      if ((await lines.next()).value !== "ready") throw new Error("A racing process didn't start");
      return { child, lines };
    }),
  );
  return {
    race: async (key) => {
      for (const { child } of children) child.stdin.write(`${key}\n`);
      const answers = await Promise.all(children.map(({ lines }) => lines.next()));
      return answers.flatMap(({ value }) => {
        if (value === undefined) throw new Error("A racing process ended early");
        return JSON.parse(value) as RacerOutcome[];
      });
    },
    end: async () => {
      await Promise.all(children.map(({ child }) => ended(child)));
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`A racing process ended with ${code}`))));
    child.stdin?.end();
  });
}

/** Racers within this process. */
export function raceOfCalls(store: ObjectStore, racers: number): Race {
  return (key) =>
    Promise.all(
      Array.from({ length: racers }, async (_, racer) => {
        const body = `racer ${racer}`;
        return { body, outcome: await store.putIfAbsent(key, Buffer.from(body)) };
      }),
    );
}
