import { existsSync, readFileSync } from "node:fs";

/** What a process has asked the system to read and write so far: in bytes, and in calls. */
export interface ProcessIo {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly reads: number;
  readonly writes: number;
}

const COUNTERS = "/proc/self/io";
const NAMES = { bytesRead: "rchar", bytesWritten: "wchar", reads: "syscr", writes: "syscw" } as const;

/** What this process has read and written, all threads together, from the cache or not; nothing where the system doesn't count it. */
export function processIo(): ProcessIo | undefined {
  if (!existsSync(COUNTERS)) return undefined;
  const text = readFileSync(COUNTERS, "utf8");
  const counted = (name: keyof typeof NAMES) => Number(new RegExp(`^${NAMES[name]}: (\\d+)$`, "m").exec(text)![1]);
  return {
    bytesRead: counted("bytesRead"),
    bytesWritten: counted("bytesWritten"),
    reads: counted("reads"),
    writes: counted("writes"),
  };
}

/** What came between. */
export function ioSince(before: ProcessIo | undefined): ProcessIo | undefined {
  const now = processIo();
  if (before === undefined || now === undefined) return undefined;
  return {
    bytesRead: now.bytesRead - before.bytesRead,
    bytesWritten: now.bytesWritten - before.bytesWritten,
    reads: now.reads - before.reads,
    writes: now.writes - before.writes,
  };
}
