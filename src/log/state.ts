import { DeltaError } from "../errors.js";
import type { Action, DomainMetadata, Metadata, Protocol, SetTransaction } from "./actions.js";

/** Everything a snapshot holds beside files (PROTOCOL.md, Action Reconciliation). */
export interface TableState {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  /** By `appId`: the newest of each, whatever its number. */
  readonly transactions: ReadonlyMap<string, SetTransaction>;
  /** By domain, without removed ones. */
  readonly domainMetadata: ReadonlyMap<string, DomainMetadata>;
}

/** A table state in the making: a commit's actions replace what older ones said. */
export class StateBuilder {
  #protocol: Protocol | undefined;
  #metadata: Metadata | undefined;
  #transactions: Map<string, SetTransaction>;
  #domainMetadata: Map<string, DomainMetadata>;
  readonly #before: TableState | undefined;

  constructor(before?: TableState) {
    this.#before = before;
    this.#protocol = before?.protocol;
    this.#metadata = before?.metadata;
    this.#transactions = new Map();
    this.#domainMetadata = new Map();
  }

  apply(action: Action): void {
    if ("txn" in action) this.#transactions.set(action.txn.appId, action.txn);
    else if ("metaData" in action) this.#metadata = completeMetadata(action.metaData);
    else if ("protocol" in action) this.#protocol = action.protocol;
    else if ("domainMetadata" in action) this.#domainMetadata.set(action.domainMetadata.domain, action.domainMetadata);
  }

  /**
   * The state that the actions make of `before`. Throws `DELTA_STATE_RECOVER_ERROR` where the log up to `version` holds no
   * protocol or no metadata.
   */
  build(version: number, before: Partial<TableState> | undefined = this.#before): TableState {
    const protocol = this.#protocol ?? before?.protocol;
    const metadata = this.#metadata ?? before?.metadata;
    if (protocol === undefined || metadata === undefined) {
      const missing = protocol === undefined ? "protocol" : "metaData";
      throw new DeltaError(
        "DELTA_STATE_RECOVER_ERROR",
        `The log up to version ${version} holds no ${missing} action, so the table's state can't be rebuilt. It may have been edited, or its first commits deleted.`,
        { version, missing },
      );
    }
    return {
      protocol,
      metadata,
      transactions: merged(before?.transactions, this.#transactions),
      domainMetadata: withoutRemoved(merged(before?.domainMetadata, this.#domainMetadata)),
    };
  }

  /** What the actions say themselves, however little. */
  said(): Partial<TableState> {
    return {
      ...(this.#protocol && { protocol: this.#protocol }),
      ...(this.#metadata && { metadata: this.#metadata }),
      transactions: this.#transactions,
      domainMetadata: this.#domainMetadata,
    };
  }
}

/** The old map itself where nothing is new: most commits set no transaction. */
function merged<T>(before: ReadonlyMap<string, T> | undefined, changes: Map<string, T>): ReadonlyMap<string, T> {
  if (before === undefined || before.size === 0) return changes;
  if (changes.size === 0) return before;
  const all = new Map(before);
  for (const [key, value] of changes) all.set(key, value);
  return all;
}

function withoutRemoved(domains: ReadonlyMap<string, DomainMetadata>): ReadonlyMap<string, DomainMetadata> {
  for (const domain of domains.values()) {
    if (domain.removed) return new Map([...domains].filter(([, { removed }]) => !removed));
  }
  return domains;
}

/** Old writers left out what they had nothing to say about. */
function completeMetadata(metadata: Metadata): Metadata {
  return {
    ...metadata,
    format: metadata.format ?? { provider: "parquet", options: {} },
    schemaString: metadata.schemaString ?? "",
    partitionColumns: metadata.partitionColumns ?? [],
    configuration: metadata.configuration ?? {},
  };
}
