import type { DeltaLog } from "../../log/deltaLog.js";
import { property } from "../../log/properties.js";
import { alterTable } from "./alterTable.js";

const SINCE = ["delta.inCommitTimestampEnablementTimestamp", "delta.inCommitTimestampEnablementVersion"];
const ENABLED = "delta.enableInCommitTimestamps";

/** Turns in-commit timestamps off, and forgets since when there were some. */
export async function removeTimestamps(log: DeltaLog, signal: AbortSignal | undefined): Promise<boolean> {
  const before = await log.latest(signal);
  const { version } = await alterTable(log, { signal }, ({ metadata }) => {
    const isOn = property(metadata, ENABLED);
    const stale = SINCE.filter((name) => Object.hasOwn(metadata.configuration, name));
    if (!isOn && stale.length === 0) return undefined;
    const kept = Object.entries(metadata.configuration).filter(([name]) => !stale.includes(name));
    const configuration = { ...Object.fromEntries(kept), ...(isOn && { [ENABLED]: "false" }) };
    return {
      metadata: { ...metadata, configuration },
      operation: "UNSET TBLPROPERTIES",
      operationParameters: { properties: JSON.stringify([...stale, ...(isOn ? [ENABLED] : [])]), ifExists: "true" },
    };
  });
  return version !== before.version;
}
