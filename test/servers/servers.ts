import { ministack } from "./ministack.js";
import { type S3Server, type S3ServerCommand, startS3Server } from "./s3Server.js";
import { versitygw } from "./versitygw.js";

/** A server that tests want, and how to start it; or why they must do without. */
export interface S3ServerChoice {
  readonly name: string;
  /** Why tests with this server are skipped; part of their title. */
  readonly skip: string | undefined;
  start(): Promise<S3Server>;
}

const KINDS = [
  { name: "versitygw", needs: "Go (the program go)", find: versitygw },
  { name: "ministack", needs: "Python (python3 with venv)", find: ministack },
] as const;

/**
 * The S3 servers of the tests, installed on first use. Await it at the top of a test file, where no hook's time limit holds:
 *
 * ```ts
 * for (const choice of await s3Servers())
 *   describe.skipIf(choice.skip)(`S3 on ${choice.name}${choice.skip ?? ""}`, …)
 * ```
 *
 * A server that can't be installed fails the run where `CI` is set; elsewhere its tests are skipped, and say so.
 */
export async function s3Servers(): Promise<S3ServerChoice[]> {
  return Promise.all(KINDS.map(choose));
}

async function choose({ name, needs, find }: (typeof KINDS)[number]): Promise<S3ServerChoice> {
  let kind: S3ServerCommand | undefined;
  let skip: string | undefined;
  try {
    kind = await find();
    if (!kind) skip = ` (skipped: needs ${needs})`;
  } catch (error) {
    if (process.env.CI) throw error;
    skip = ` (skipped: its installation failed: ${String(error).slice(0, 500)})`;
  }
  if (skip) console.warn(`S3 on ${name}${skip}`);
  return {
    name,
    skip,
    start: () => {
      if (!kind) throw new Error(`${name}${skip}`);
      return startS3Server(kind);
    },
  };
}
