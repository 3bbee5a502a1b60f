import { createHash } from "node:crypto";

const MAX_NAME_CHARS = 40;

/**
 * The name of the job that loads these sources where it isn't given one: the same for the same sources, whatever
 * folder the command is run in. `urls` are the sources as absolute paths or URLs, globs not resolved.
 */
export function jobNameOf(urls: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(urls)).digest("hex").slice(0, 12);
  const last =
    urls
      .at(-1)
      ?.split(/[/\\]/)
      .findLast((part) => /[\p{L}\p{N}]/u.test(part)) ?? "";
  const readable = last
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[.-]+|[.-]+$/g, "")
    .slice(0, MAX_NAME_CHARS);
  return `${readable || "load"}-${hash}`;
}
