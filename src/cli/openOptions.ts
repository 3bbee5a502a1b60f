import type { OpenOptions } from "../table.js";
import type { Given } from "./command.js";

/** How the options that every command has say that storage is reached. */
export function openOptionsOf(given: Given): OpenOptions {
  const [endpoint, region] = [given.text("endpoint"), given.text("region")];
  return {
    catalogManagedByPath: given.has("catalog-managed-by-path"),
    dataRoots: given.names("data-roots") ?? [],
    followLinks: given.has("follow-links"),
    s3: { ...(endpoint === undefined ? {} : { endpoint }), ...(region === undefined ? {} : { region }) },
  };
}
