import type { DeltaLog, TimeTravel } from "../log/deltaLog.js";
import { type ProtocolReport, reportProtocol } from "../log/protocolReport.js";

/** What a version of a table asks of those who read and write it. It can be turned into JSON. */
export interface TableProtocol extends ProtocolReport {
  readonly version: number;
}

/** Implements `Table.protocol`; see there. */
export async function protocol(
  log: DeltaLog,
  travel: TimeTravel | undefined,
  signal?: AbortSignal,
): Promise<TableProtocol> {
  const snapshot = await log.unchecked(travel, signal);
  return { version: snapshot.version, ...reportProtocol(snapshot.protocol, snapshot.metadata, log.access) };
}
