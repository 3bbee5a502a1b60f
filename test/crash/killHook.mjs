// Imported before a child's own code: kills the process at a point named by DELTA_KILL, the nth call of one kind.
// { call: "link" …, of: "data" | "temp" | "folder" | undefined, moment: "before" | "during" | "after", nth }
import fs from "node:fs";
import path from "node:path";

const point = JSON.parse(process.env.DELTA_KILL ?? "{}");
const isTemp = (file) => /^\.delta-.*\.tmp$/.test(path.basename(file));
const open = new Map();
let seen = 0;

function die() {
  // To oneself, the signal comes before the call returns.
  process.kill(process.pid, "SIGKILL");
}

/** The moment at which this call is to die; undefined for all calls but one. */
function momentOf(call, of) {
  return call === point.call && (point.of === undefined || of === point.of) && ++seen === point.nth
    ? point.moment
    : undefined;
}

/** Wraps a synchronous function; `halve` does half of the call's work. */
function wrap(name, describe, halve) {
  const real = fs[name];
  fs[name] = (...args) => {
    const [call, of] = describe(args);
    const moment = call === undefined ? undefined : momentOf(call, of);
    if (moment === "before") die();
    if (moment === "during") {
      halve(args);
      die();
    }
    let result;
    try {
      result = real(...args);
    } catch (error) {
      // A lost race, say: the next call is the one to die after.
      if (moment !== undefined) seen--;
      throw error;
    }
    if (moment === "after") die();
    return result;
  };
}

const written = ([fd]) => (open.has(fd) && open.get(fd) !== "folder" ? ["write", open.get(fd)] : []);
const halved = ([fd, bytes, offset, length]) => fs.writevSync(fd, [bytes.subarray(offset, offset + (length >> 1))]);

wrap("openSync", ([file, flags]) => (flags === "wx" ? ["create", isTemp(file) ? "temp" : "data"] : []));
const { openSync } = fs;
fs.openSync = (file, flags, mode) => {
  if (flags === "r" && isTemp(file)) throw new Error(`A temporary file is read: ${file}`);
  const fd = openSync(file, flags, mode);
  if (flags === "wx") open.set(fd, isTemp(file) ? "temp" : "data");
  else if (fs.fstatSync(fd).isDirectory()) open.set(fd, "folder");
  return fd;
};
wrap("writeSync", written, halved);
wrap("write", written, halved);
wrap("linkSync", () => ["link"]);
wrap("renameSync", () => ["rename"]);
wrap("unlinkSync", ([file]) => (isTemp(file) ? ["unlink"] : []));
wrap("mkdirSync", () => ["mkdir"]);
wrap("closeSync", ([fd]) => (open.has(fd) ? ["close", open.get(fd)] : []));
const { closeSync } = fs;
fs.closeSync = (fd) => {
  closeSync(fd);
  open.delete(fd);
};
const { fsync } = fs;
fs.fsync = (fd, done) => {
  const moment = open.has(fd) ? momentOf("flush", open.get(fd)) : undefined;
  if (moment === "before") die();
  fsync(fd, (error) => {
    if (moment === "after") die();
    done(error);
  });
  if (moment === "during") die();
};
