import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { localStore } from "#src/storage/local.js";
import { describeStore } from "../contract/store.js";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "delta-store-"));
afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

describeStore("a local disk", async () => {
  const root = path.join(folder, "new", "root");
  return { store: localStore(root), location: root };
});

describeStore("a local disk without fsync", async () => {
  const root = path.join(folder, "without fsync");
  return { store: localStore(root, { fsync: false }), location: root, options: { fsync: false } };
});
