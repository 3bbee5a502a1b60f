import type { Given, OptionRow } from "../command.js";
import { UsageError } from "../usage.js";

/** The options that say how a change is committed. */
export const COMMIT_OPTIONS: readonly OptionRow[] = [
  { name: "txn-app-id", kind: "text", value: "ID", summary: "with --txn-version: write nothing if the table has" },
  { name: "txn-version", kind: "count", value: "N", summary: "this version of ID, or a later one, already" },
  { name: "user-metadata", kind: "text", value: "TEXT", summary: "a note that history shows" },
];

/** What the command line says of the commit. Throws {@link UsageError} for half a transaction. */
export function commitOptionsOf(given: Given): {
  readonly txn?: { readonly appId: string; readonly version: number };
  readonly userMetadata?: string;
} {
  const userMetadata = given.text("user-metadata");
  const [appId, version] = [given.text("txn-app-id"), given.count("txn-version")];
  if ((appId === undefined) !== (version === undefined)) {
    throw new UsageError(
      "--txn-app-id and --txn-version belong together",
      "Give both: --txn-app-id nightly --txn-version 7.",
    );
  }
  return {
    ...(appId !== undefined && version !== undefined && { txn: { appId, version } }),
    ...(userMetadata !== undefined && { userMetadata }),
  };
}
