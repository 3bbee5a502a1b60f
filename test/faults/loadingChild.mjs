// Loads the SDK for S3 while there are no file descriptors, and again when there are: Node doesn't try twice. Prints the
// outcomes as JSON. To be run with a small limit (ulimit -n).
import fs from "node:fs";

const { openStore } = await import("#src/storage/open.js");
const store = openStore("s3://bucket/table", { s3: { endpoint: "http://127.0.0.1:9", region: "us-east-1" } });
const outcome = () => store.get("a").catch((error) => `${error.code} ${error.kind}`);
const taken = [];
try {
  for (;;) taken.push(fs.openSync("/dev/null", "r"));
} catch {
  const during = await outcome();
  for (const descriptor of taken) fs.closeSync(descriptor);
  console.log(JSON.stringify([during, await outcome()]));
}
