import type { DeltaLog } from "../../log/deltaLog.js";
import { protocolAt } from "../../log/protocolUpgrade.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";

/** The version numbers of a protocol: 3 and 7 for one that lists its features. */
export interface ProtocolVersions {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
}

/** Implements `TableAlter.upgradeProtocol`; see there. */
export function upgradeProtocol(
  log: DeltaLog,
  { minReaderVersion, minWriterVersion }: ProtocolVersions,
  options: AlterOptions,
): Promise<AlterResult> {
  return alterTable(log, options, (snapshot) => {
    const protocol = protocolAt(snapshot.protocol, minReaderVersion, minWriterVersion);
    if (protocol === snapshot.protocol) return undefined;
    return {
      protocol,
      operation: "UPGRADE PROTOCOL",
      operationParameters: { newProtocol: JSON.stringify(protocol) },
    };
  });
}
