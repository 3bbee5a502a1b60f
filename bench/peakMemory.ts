import { readFileSync, writeFileSync } from "node:fs";

/** Starts counting the peak of resident memory anew, where the system can; gives what is resident now, in bytes. */
export function restartPeak(): number {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // Elsewhere the peak stays that of the whole process.
  }
  return process.memoryUsage().rss;
}

/** The peak of resident memory since {@link restartPeak}, in bytes. */
export function peakSinceRestart(): number {
  try {
    const text = readFileSync("/proc/self/status", "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)![1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
