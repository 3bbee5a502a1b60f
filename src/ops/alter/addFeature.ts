import type { DeltaLog } from "../../log/deltaLog.js";
import { checkFeature, protocolWith } from "../../log/protocolUpgrade.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";

/** Implements `TableAlter.addFeature`; see there. */
export function addFeature(log: DeltaLog, feature: string, options: AlterOptions): Promise<AlterResult> {
  const name = checkFeature(feature);
  return alterTable(log, options, (snapshot) => {
    const protocol = protocolWith(snapshot.protocol, [name]);
    if (protocol === snapshot.protocol) return undefined;
    return {
      protocol,
      operation: "SET TBLPROPERTIES",
      operationParameters: { properties: JSON.stringify({ [`delta.feature.${name}`]: "supported" }) },
    };
  });
}
