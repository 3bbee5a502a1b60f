// Loads a source into a table until it is done or killed. Says on stdout when it begins and what is committed, and writes to the
// file `reads` each range of the source that it read, before the load can use it. With `point`, { log: "table" | "letters",
// moment: "before" | "after", nth }, it kills itself there. Argument: { table, source, reads, point, options }.
import fs from "node:fs";
import path from "node:path";
import { Table } from "#src/index.js";

const { table, source, reads, point, options } = JSON.parse(process.argv[2]);
const say = (...words) => fs.writeSync(1, `${words.join(" ")}\n`);

// Of the source only: its descriptors by name.
const names = new Map();
const log = fs.openSync(reads, "a");
const note = (fd, position, count) => {
  if (names.has(fd) && count > 0) fs.writeSync(log, `${names.get(fd)} ${position} ${position + count}\n`);
};
const { openSync, closeSync, read, readSync } = fs;
fs.openSync = (file, ...rest) => {
  const fd = openSync(file, ...rest);
  if (path.resolve(String(file)).startsWith(source)) names.set(fd, path.basename(String(file)));
  return fd;
};
fs.closeSync = (fd) => {
  names.delete(fd);
  closeSync(fd);
};
fs.read = (fd, bytes, offset, length, position, done) =>
  read(fd, bytes, offset, length, position, (error, count) => {
    if (!error) note(fd, position, count);
    done(error, count);
  });
fs.readSync = (fd, bytes, offset, length, position) => {
  const count = readSync(fd, bytes, offset, length, position);
  note(fd, position, count);
  return count;
};

if (point !== undefined) {
  const { linkSync } = fs;
  let seen = 0;
  // A commit is a link to its name. To oneself, the signal comes before the call returns.
  fs.linkSync = (from, to) => {
    const log = path.relative(table, path.dirname(to));
    const isIt = log === (point.log === "table" ? "_delta_log" : path.join("_dead_letters", "_delta_log"));
    const isDue = isIt && /^\d+\.json$/.test(path.basename(to)) && ++seen === point.nth;
    if (isDue && point.moment === "before") process.kill(process.pid, "SIGKILL");
    linkSync(from, to);
    if (isDue) process.kill(process.pid, "SIGKILL");
  };
}

say("ready");
const result = await Table.open(table).load(source, {
  ...options,
  onProgress: ({ isCommitted, version }) => {
    if (isCommitted) say("committed", version);
  },
});
say("done", JSON.stringify(result));
process.exit(0);
