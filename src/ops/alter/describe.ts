import type { Metadata } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";

/** What a table is called, and what it is. Null takes it away, and what is left out stays. */
export interface TableDescriptions {
  readonly name?: string | null;
  readonly description?: string | null;
}

/** Implements `TableAlter.describe`; see there. */
export function describe(log: DeltaLog, texts: TableDescriptions, options: AlterOptions): Promise<AlterResult> {
  return alterTable(log, options, ({ metadata }) => {
    const { name = metadata.name ?? null, description = metadata.description ?? null } = texts;
    if (name === (metadata.name ?? null) && description === (metadata.description ?? null)) return undefined;
    const { name: _, description: __, ...others } = metadata;
    const changed: Metadata = {
      ...others,
      ...(name === null ? {} : { name }),
      ...(description === null ? {} : { description }),
    };
    return { metadata: changed, operation: "UPDATE TABLE METADATA", operationParameters: parameters(texts) };
  });
}

function parameters(texts: TableDescriptions): Record<string, string> {
  const given = Object.entries(texts).filter(([, text]) => text !== undefined);
  return Object.fromEntries(given.map(([key, text]) => [key, JSON.stringify(text)]));
}
