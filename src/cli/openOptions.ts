import type { StorageOptions } from "../storage/open.js";
import type { Given } from "./command.js";

/** How the options that every command has say that storage is reached. */
export function openOptionsOf(given: Given): StorageOptions {
  const [endpoint, region] = [given.text("endpoint"), given.text("region")];
  return {
    followLinks: given.has("follow-links"),
    s3: { ...(endpoint === undefined ? {} : { endpoint }), ...(region === undefined ? {} : { region }) },
  };
}
