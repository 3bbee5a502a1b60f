import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { localStore } from "#src/storage/local.js";
import { describeStore } from "../contract/store.js";

describeStore("a local disk", async () => {
  const root = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "delta-store-")), "new", "root");
  return { store: localStore(root), location: root };
});
describeStore("a local disk without fsync", async () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "delta-store-"));
  return { store: localStore(root, { fsync: false }), location: root, options: { fsync: false } };
});
