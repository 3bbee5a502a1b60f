// Puts object after object into a folder until it is killed.
import { localStore } from "#src/storage/local.js";

const store = localStore(process.argv[2], { fsync: false });
const bytes = new Uint8Array(700_000).fill(7);
for (let i = 0; ; i++) {
  await store.put(`put-${i}`, bytes);
  process.stdout.write(`${await store.putIfAbsent(`claim-${i}`, bytes)}\n`);
}
