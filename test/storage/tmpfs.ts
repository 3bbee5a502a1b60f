import { execFileSync } from "node:child_process";

export function system(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: "pipe" });
}

/** A small file system of its own at `folder`, or why there can't be one. */
export function tmpfs(at: string): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root on Linux can mount a file system";
  try {
    system("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", at);
    return undefined;
  } catch (error) {
    return `mount failed: ${error}`;
  }
}
