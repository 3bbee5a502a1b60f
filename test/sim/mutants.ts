/** A bug put into a copy of the compiled product, and the seed of a schedule that finds it. */
export interface Mutant {
  /** What the product does wrong. */
  readonly bug: string;
  readonly file: string;
  /** Text that occurs once in the file, and what stands in its place. */
  readonly from: string;
  readonly to: string;
  readonly seed: number;
}

/** The bugs that the simulator must find. None of them was ever in `src/`. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  overwriteCommit: {
    bug: "a commit is put over whatever is there",
    file: "log/commit.js",
    from: "return { put: await store.putIfAbsent(path, bytes, undefined, after), isClear: false };",
    to: 'await after;\n        await store.put(path, bytes);\n        return { put: "created", isClear: false };',
    seed: 25,
  },
  claimUnready: {
    bug: "the claim doesn't wait for the data files that it names",
    file: "log/commit.js",
    from: "store.putIfAbsent(path, bytes, undefined, after)",
    to: "store.putIfAbsent(path, bytes)",
    seed: 0,
  },
  unknownIsSuccess: {
    bug: "an unknown outcome counts as success",
    file: "log/commit.js",
    from: 'outcome.put !== "created"; round++',
    to: 'outcome.put === "exists"; round++',
    seed: 2,
  },
  unknownIsLost: {
    bug: "after an unknown outcome, a commit that is there is taken for another writer's, and made again",
    file: "log/commit.js",
    from: "return txnIdOf(found.actions) === txnId",
    to: 'return outcome.put !== "unknown" && txnIdOf(found.actions) === txnId',
    seed: 28,
  },
  existsIsLost: {
    bug: "an own put that is answered 'exists', since it was repeated on its way, is taken for another writer's",
    file: "log/commit.js",
    from: "return txnIdOf(found.actions) === txnId",
    to: 'return outcome.put !== "exists" && txnIdOf(found.actions) === txnId',
    seed: 2,
  },
  lostErrorIsFailure: {
    bug: "an error of a put whose answer is lost counts as a clear failure",
    file: "log/commit.js",
    from: "if (isClear && !isUnavailable(error))",
    to: "if (error !== undefined)",
    seed: 2,
  },
  sameTxnId: {
    bug: "all commits have the same txnId",
    file: "write/transaction.js",
    from: "const txnId = runtime.randomUUID();",
    to: 'const txnId = "same";',
    seed: 0,
  },
  adoptBeforeClaim: {
    bug: "the handle takes its next snapshot for granted before the claim",
    file: "write/transaction.js",
    from: "const outcome = await claim(",
    to: "if (base !== undefined) log.adopt(base.advance(version, actions));\n        const outcome = await claim(",
    seed: 0,
  },
  winnerSkipped: {
    bug: "the commit that won a race is left out of the loser's next snapshot",
    file: "write/transaction.js",
    from: "base.advance(version, outcome.actions)",
    to: "base.advance(version, [])",
    seed: 7,
  },
  checkpointFailsAppend: {
    bug: "an append fails where the checkpoint after its commit does",
    file: "write/transaction.js",
    from: "const reason = error instanceof Error",
    to: "throw error;\n        const reason = error instanceof Error",
    seed: 96,
  },
  txnIgnored: {
    bug: "an append with a `txn` that is recorded is made again",
    file: "ops/stagedAppend.js",
    from: "return recorded !== undefined && txn !== undefined && recorded.version >= txn.version;",
    to: "return false;",
    seed: 0,
  },
  discardOnUnknown: {
    bug: "data files are removed though their commit may be there",
    file: "ops/stagedAppend.js",
    from: 'if (!hasCode(error, "DELTA_COMMIT_OUTCOME_UNKNOWN"))',
    to: "if (true)",
    seed: 18,
  },
  discardOnLostRace: {
    bug: "data files are removed when a race is lost, and then committed",
    file: "ops/stagedAppend.js",
    from: "current = retarget(current, outcome.snapshot);",
    to: "await staged.discard();\n            current = retarget(current, outcome.snapshot);",
    seed: 25,
  },
  checkpointForgetsTxn: {
    bug: "checkpoints lack the applications' progress",
    file: "log/checkpointActions.js",
    from: "...keptTransactions(snapshot).map((txn) => ({ txn })),",
    to: "",
    seed: 25,
  },
  checkpointDropsFile: {
    bug: "a checkpoint lacks a file",
    file: "log/checkpointActions.js",
    from: 'actionBatch("add", files, fields)',
    to: 'actionBatch("add", files.numRows > 1 ? files.slice(1) : files, fields)',
    seed: 1,
  },
  checkpointOffByOne: {
    bug: "a checkpoint has the name of the version before",
    file: "log/checkpoint.js",
    from: "const { version, protocol, metadata } = snapshot;",
    to: "const { protocol, metadata } = snapshot;\n    const version = Math.max(0, snapshot.version - 1);",
    seed: 25,
  },
  hintFirst: {
    bug: "_last_checkpoint points at a checkpoint that isn't written yet",
    file: "log/checkpoint.js",
    from: "const { path, actionCount",
    to: "await writeLastCheckpoint(store, { version, size: 1 }, signal);\n    const { path, actionCount",
    seed: 25,
  },
  removedStaysInTail: {
    bug: "a file that was added and removed since the checkpoint stays live",
    file: "log/tail.js",
    from: "if (before !== undefined)",
    to: "if (before !== undefined && isAdd)",
    seed: 7,
  },
  removedStaysInCheckpoint: {
    bug: "a file of the checkpoint that was removed since stays live",
    file: "log/tail.js",
    from: "return row >= 0;",
    to: "return row >= 0 && this.isAdd[row];",
    seed: 67,
  },
  refreshStale: {
    bug: "a handle sees only one new commit at a time",
    file: "log/snapshot.js",
    from: "return this.#at(newest, state);",
    to: "return this.#at(this.version + 1, state);",
    seed: 73,
  },
  listingTrusted: {
    bug: "a commit that a listing lacks isn't asked for by name",
    file: "log/segment.js",
    from: "!known.has(commit) && (await store.head(commitPath(commit), signal)) === undefined",
    to: "!known.has(commit)",
    seed: 107,
  },
  progressFirst: {
    bug: "a load's place is committed before its batch, not with it",
    file: "load/loadJob.js",
    from: "const { version } = await commitAppend(this.#log, rows.to.target, staged, {\n            move,",
    to: "await commitAppend(this.#log, rows.to.target, { ...staged, adds: [], rowCount: 0 }, { move });\n        const { version } = await commitAppend(this.#log, rows.to.target, staged, {\n            move: [],",
    seed: 12,
  },
  resumedTooEarly: {
    bug: "a load's place is where its last batch begins, not where it ends",
    file: "load/openFile.js",
    from: "position: slice.end,",
    to: "position: slice.start,",
    seed: 40,
  },
  movesUnchecked: {
    bug: "a run of a job doesn't look whether another one was first",
    file: "write/transactionMove.js",
    from: "if (recorded === from)",
    to: "if (true)",
    seed: 52,
  },
  lettersFirst: {
    bug: "dead letters are committed before the batch that they are of",
    file: "load/loadJob.js",
    from: "const staged = { adds, stored, rowCount: rowsLoaded,",
    to: "if (state.dead !== undefined) await commitLetters(letterLog(store, state.dead.location, this.#storage), this.job, progress.step, state.dead);\n        const staged = { adds, stored, rowCount: rowsLoaded,",
    seed: 1,
  },
  lettersForgotten: {
    bug: "dead letters that a crash kept from being committed are forgotten",
    file: "load/loadJob.js",
    from: "await lateLetters(",
    to: "void (() => undefined)(",
    seed: 80,
  },
  lettersTwice: {
    bug: "dead letters that are committed are committed again",
    file: "load/deadLetters.js",
    from: "if (target.snapshot !== undefined && isRecorded(target.snapshot, txn)) {",
    to: "if (false) {",
    seed: 11,
  },
  streamWithoutTxn: {
    bug: "a stream doesn't ask the table whether it has the batch that a crash left open",
    file: "stream/tableSink.js",
    from: "{ ...this.#options, txn }",
    to: "{ ...this.#options }",
    seed: 34,
  },
  doneBeforeRows: {
    bug: "a stream's batch is marked as done before its rows are in the table",
    file: "stream/run.js",
    from: "const written = await this.#sink.write(",
    to: "await this.#folder.finish(batchId, 0);\n        const written = await this.#sink.write(",
    seed: 141,
  },
  plannedAfterwards: {
    bug: "a stream's plan of a batch is written after its rows",
    file: "stream/run.js",
    from: "await this.#folder.plan(batchId, plan);\n                watermarkMs = await this.#batch(source, at, batchId, plan);",
    to: "watermarkMs = await this.#batch(source, at, batchId, plan);\n                await this.#folder.plan(batchId, plan);",
    seed: 57,
  },
};
