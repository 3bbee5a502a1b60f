import type { Action, AddFile, CommitInfo, Metadata, RemoveFile } from "../log/actions.js";
import { decodePath } from "../log/paths.js";
import { property } from "../log/properties.js";
import { fileKey } from "../log/tail.js";
import { type FileRecord, recordOf } from "./fileRecord.js";
import type { FileTable } from "./fileTable.js";
import type { Findings } from "./findings.js";
import { keyOf } from "./hashIndex.js";
import type { PartitionCheck } from "./partitionCheck.js";

/** Removed without having been added: where the feature is dropped, so that old versions keep theirs. */
const VECTOR_FILE = /(?:^|\/)deletion_vector_[0-9a-f-]{36}\.bin$/;

/** What the commits before have left to compare a commit with. */
export interface History {
  /** Undefined where the state before the commit isn't known. */
  readonly files: FileTable | undefined;
  /** The rows of live files with a deletion vector, by path. */
  readonly vectorRows: Map<string, number>;
  /** The version of each transaction id. */
  readonly transactionIds: Map<string, number>;
  /** Of the newest commit that has one. */
  inCommitTimestamp: number | undefined;
}

interface OpenAdd {
  readonly path: string;
  /** A live logical file of the same path and another deletion vector. */
  readonly row: number;
}

/** Checks the actions of one commit, and takes its file actions into the history's files. */
export class CommitCheck {
  readonly #version: number;
  readonly #history: History;
  readonly #findings: Findings;
  readonly #partition: PartitionCheck;
  readonly #seen = { add: new Set<string>(), remove: new Set<string>(), single: new Set<string>() };
  readonly #removedKeys = new Set<string>();
  readonly #addedKeys = new Set<string>();
  readonly #openAdds: OpenAdd[] = [];
  #actions = 0;
  #commitInfo: CommitInfo | undefined;
  #infoIsFirst = false;

  constructor(version: number, history: History, partition: PartitionCheck, findings: Findings) {
    this.#version = version;
    this.#history = history;
    this.#partition = partition;
    this.#findings = findings;
  }

  visit(action: Action): void {
    this.#actions++;
    if ("add" in action) this.#add(action.add);
    else if ("remove" in action) this.#remove(action.remove);
    else if ("commitInfo" in action) {
      this.#infoIsFirst = this.#actions === 1;
      this.#commitInfo = action.commitInfo;
      this.#once("commitInfo");
    } else if ("protocol" in action) this.#once("protocol");
    else if ("metaData" in action) this.#once("metaData");
    else if ("txn" in action) this.#once("txn", action.txn.appId);
    else if ("domainMetadata" in action) this.#once("domainMetadata", action.domainMetadata.domain);
  }

  /** Ends the commit; `metadata` is the table's after it. */
  finish(metadata: Metadata | undefined): void {
    const version = this.#version;
    if (this.#actions === 0) this.#findings.add("commit-empty", `Commit ${version} holds no action.`, { version });
    for (const { path, row } of this.#openAdds) {
      if (this.#history.files?.state(row) !== "live") continue;
      const message = `Commit ${version} adds ${path} with another deletion vector, without removing what is there.`;
      this.#findings.add("add-live-with-other-vector", message, { version, path });
    }
    this.#checkTransactionId();
    this.#checkTimestamp(metadata);
  }

  get commitInfo(): CommitInfo | undefined {
    return this.#commitInfo;
  }

  #once(kind: string, of = ""): void {
    const key = `${kind}\n${of}`;
    if (this.#seen.single.has(key)) this.#duplicate(kind, of);
    this.#seen.single.add(key);
  }

  #duplicate(action: string, of: string, path?: string): void {
    const version = this.#version;
    const what = of === "" ? `more than one ${action}` : `more than one ${action} of ${of}`;
    this.#findings.add("commit-duplicate-action", `Commit ${version} has ${what}.`, { version, path }, { action, of });
  }

  #add(add: AddFile): void {
    const version = this.#version;
    const path = decodePath(add.path);
    const plain = fileKey(add.path);
    const key = fileKey(add.path, add.deletionVector ?? undefined);
    if (this.#seen.add.has(plain)) this.#duplicate("add", path, path);
    else if (this.#removedKeys.has(key)) this.#addAndRemove(path);
    this.#seen.add.add(plain);
    this.#addedKeys.add(key);
    this.#partition.check(add.partitionValues, version, path);
    const { files } = this.#history;
    if (files === undefined) return;
    const record = recordOf(add, add.modificationTime);
    this.#checkNotLive(files, record, add, plain, path);
    this.#take(files, record, add, plain);
  }

  #checkNotLive(files: FileTable, record: FileRecord, add: AddFile, plain: string, path: string): void {
    const version = this.#version;
    const own = files.find(record.key);
    if (own >= 0 && files.state(own) === "live") {
      if (files.version(own) === version || add.dataChange === false) return;
      const message = `Commit ${version} adds ${path} as new data, though version ${files.version(own)} has it already.`;
      this.#findings.add("add-already-live", message, { version, path }, { since: files.version(own) });
      return;
    }
    const others = [this.#history.vectorRows.get(plain) ?? -1, add.deletionVector ? files.find(keyOf(plain)) : -1];
    for (const row of others) {
      if (row >= 0 && row !== own && files.state(row) === "live") this.#openAdds.push({ path, row });
    }
  }

  #take(files: FileTable, record: FileRecord, add: AddFile, plain: string): void {
    const row = files.put(record, "live", this.#version);
    if (add.deletionVector) this.#history.vectorRows.set(plain, row);
  }

  #remove(remove: RemoveFile): void {
    const version = this.#version;
    const path = decodePath(remove.path);
    const plain = fileKey(remove.path);
    const key = fileKey(remove.path, remove.deletionVector ?? undefined);
    if (this.#seen.remove.has(plain)) this.#duplicate("remove", path, path);
    else if (this.#addedKeys.has(key)) this.#addAndRemove(path);
    this.#seen.remove.add(plain);
    this.#removedKeys.add(key);
    const { files } = this.#history;
    if (files === undefined) return;
    const record = recordOf(remove, remove.deletionTimestamp);
    const row = files.find(record.key);
    const wasLive = row >= 0 && files.state(row) === "live";
    if (!wasLive && !VECTOR_FILE.test(path)) {
      this.#findings.add("remove-not-live", `Commit ${version} removes ${path}, which wasn't live.`, { version, path });
    }
    files.put(record, "removed", version);
    if (remove.deletionVector && this.#history.vectorRows.get(plain) === row) this.#history.vectorRows.delete(plain);
  }

  #addAndRemove(path: string): void {
    const version = this.#version;
    const message = `Commit ${version} both adds and removes ${path}; actions have no order, so nobody knows which counts.`;
    this.#findings.add("commit-add-and-remove", message, { version, path });
  }

  #checkTransactionId(): void {
    const version = this.#version;
    const txnId = this.#commitInfo?.txnId;
    if (typeof txnId !== "string") return;
    const before = this.#history.transactionIds.get(txnId);
    if (before !== undefined) {
      const message = `Commits ${before} and ${version} have the same transaction id ${txnId}.`;
      this.#findings.add("transaction-id-repeated", message, { version }, { txnId, before });
    }
    this.#history.transactionIds.set(txnId, version);
  }

  /** PROTOCOL.md, In-Commit Timestamps. */
  #checkTimestamp(metadata: Metadata | undefined): void {
    const version = this.#version;
    if (metadata === undefined || !isOn(metadata)) {
      this.#history.inCommitTimestamp = undefined;
      return;
    }
    const timestamp = this.#commitInfo?.inCommitTimestamp;
    if (typeof timestamp !== "number" || !this.#infoIsFirst) {
      const message = `Commit ${version} doesn't begin with a commitInfo that has an inCommitTimestamp.`;
      this.#findings.add("commit-timestamp-missing", message, { version });
      return;
    }
    const before = this.#history.inCommitTimestamp;
    if (before !== undefined && timestamp <= before) {
      const message = `Commit ${version} has the in-commit timestamp ${timestamp}, not later than ${before} before it.`;
      this.#findings.add("commit-timestamp-order", message, { version }, { timestamp, before });
    }
    this.#history.inCommitTimestamp = timestamp;
  }
}

function isOn(metadata: Metadata): boolean {
  try {
    return property(metadata, "delta.enableInCommitTimestamps");
  } catch {
    // A text that makes no sense turns nothing on.
    return false;
  }
}
