// Makes calls of node:fs fail that reach below one folder, in this process. Load it before the code under test, which
// calls everything as a property of the module object.
import fs from "node:fs";
import path from "node:path";

/** Calls of a path or a descriptor that answer at once. */
const SYNC = ["openSync", "fstatSync", "readSync", "writeSync", "closeSync", "statSync", "linkSync", "renameSync"];
const MORE_SYNC = ["unlinkSync", "mkdirSync", "opendirSync"];
const CALLBACK = ["read", "write", "fsync"];

let root;
let plan;
const descriptors = new Map();
/** The calls made since the last plan, as "name path". */
export const calls = [];

/** Only calls below this folder count, or fail. */
export function watch(folder) {
  root = path.resolve(folder);
}

/**
 * The calls `first` to `first + times - 1` from now on fail with the system's `code`; where `after`, they take effect and
 * then fail. `only` narrows it to some names of calls.
 */
export function failFrom({ first, times, code, after = false, only }) {
  calls.length = 0;
  plan = { first, last: first + times, code, after, only, seen: 0 };
}

/** Everything works again; true where a call failed meanwhile. */
export function heal() {
  const hit = plan !== undefined && plan.seen > plan.first;
  plan = undefined;
  return hit;
}

function pathOf(target) {
  const at = typeof target === "number" ? descriptors.get(target) : target;
  if (at === undefined || root === undefined) return undefined;
  const full = path.resolve(String(at));
  return full === root || full.startsWith(root + path.sep) ? full : undefined;
}

/** The error that this call gets now, if any. */
function faultOf(name, target) {
  const at = pathOf(target);
  if (at === undefined) return undefined;
  calls.push(`${name} ${path.relative(root, at)}`);
  if (plan === undefined || (plan.only && !plan.only.includes(name))) return undefined;
  const nth = plan.seen++;
  if (nth < plan.first || nth >= plan.last) return undefined;
  return Object.assign(new Error(`${plan.code}: made by the test, ${name}`), { code: plan.code, syscall: name });
}

for (const name of [...SYNC, ...MORE_SYNC]) {
  const real = fs[name];
  fs[name] = (...args) => {
    const fault = faultOf(name, name === "linkSync" || name === "renameSync" ? args[1] : args[0]);
    // As on Linux, a descriptor is closed whatever close says.
    if (fault && !plan.after && name !== "closeSync") throw fault;
    const result = real(...args);
    if (name === "closeSync") descriptors.delete(args[0]);
    if (fault) {
      if (name === "openSync") fs.closeSync(result);
      if (name === "opendirSync") result.closeSync();
      throw fault;
    }
    if (name === "openSync") descriptors.set(result, args[0]);
    return result;
  };
}

for (const name of CALLBACK) {
  const real = fs[name];
  fs[name] = (...args) => {
    const done = args.pop();
    const fault = faultOf(name, args[0]);
    if (fault && !plan.after) process.nextTick(done, fault);
    else real(...args, (error, ...results) => done(fault ?? error, ...results));
  };
}

const { unlink } = fs.promises;
fs.promises.unlink = async (file) => {
  const fault = faultOf("unlink", file);
  if (fault && !plan.after) throw fault;
  await unlink(file);
  if (fault) throw fault;
};
