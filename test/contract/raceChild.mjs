// One of several processes that race for keys: reads a key a line, puts it `racers` times at once, writes the outcomes.
import { createInterface } from "node:readline";
import { openStore } from "#src/storage/open.js";

const { location, options, racers } = JSON.parse(process.argv[2]);
const store = openStore(location, options);
process.stdout.write("ready\n");
for await (const key of createInterface({ input: process.stdin })) {
  const outcomes = await Promise.all(
    Array.from({ length: racers }, async (_, racer) => {
      const body = `${process.pid}/${racer}`;
      return { body, outcome: await store.putIfAbsent(key, Buffer.from(body)) };
    }),
  );
  process.stdout.write(`${JSON.stringify(outcomes)}\n`);
}
await store[Symbol.asyncDispose]();
