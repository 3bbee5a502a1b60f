/** A mistake that somebody might make: the model's text with some of its pieces replaced. */
export interface Mutant {
  readonly name: string;
  /** Where it is to be caught, and by which property. */
  readonly configuration: string;
  readonly caughtBy: string;
  /** Each first text occurs exactly once in the model. */
  readonly replace: readonly (readonly [from: string, to: string])[];
}

const NO_CHANGE = "[adds |-> {}, removes |-> {}, txn |-> 0, time |-> 0]";

export const MUTANTS: readonly Mutant[] = [
  {
    name: "a plain put instead of put-if-absent",
    configuration: "commits",
    caughtBy: "CommitsNeverChange",
    replace: [["created == log[put.version] = None", "created == TRUE"]],
  },
  {
    name: "no read-back: an unclear claim is taken for a lost one",
    configuration: "commits",
    caughtBy: "NoCommitTwice",
    replace: [["[] found # None /\\ IsOwn(found, w) ->", "[] FALSE ->"]],
  },
  {
    name: "no answer is taken for success",
    configuration: "commits",
    caughtBy: "AcknowledgedStays",
    replace: [
      [
        `/\\ writer' = [writer EXCEPT ![w].at = "unclear"]
  /\\ UNCHANGED <<storage, reader, checkpointer, cleaner, vacuum, now, history, acknowledged>>`,
        `/\\ Acknowledge(w, CommitOf(w), writer[w].version + 1)
  /\\ UNCHANGED <<storage, reader, checkpointer, cleaner, vacuum, now, history>>`,
      ],
    ],
  },
  {
    name: '"exists" is always taken for lost, though it may be our own put',
    configuration: "commits",
    caughtBy: "NoCommitTwice",
    replace: [["[] found # None /\\ IsOwn(found, w) ->", '[] writer[w].at = "unclear" /\\ IsOwn(found, w) ->']],
  },
  {
    name: "the read-back takes whatever commit it finds for its own",
    configuration: "commits",
    caughtBy: "AcknowledgedStays",
    replace: [["[] found # None /\\ IsOwn(found, w) ->", "[] found # None ->"]],
  },
  {
    name: "a lost claim goes on one version too far",
    configuration: "commits",
    caughtBy: "VersionsAreContiguous",
    replace: [
      ["![w].version = last, ![w].table = table, ![w].seen = now]", "![w].version = last + 1, ![w].table = table]"],
    ],
  },
  {
    name: "the staged files of an unclear commit are removed",
    configuration: "commits",
    caughtBy: "FilesExist",
    replace: [
      [
        "/\\ UNCHANGED <<files, acknowledged>>",
        "/\\ files' = {f \\in files : f.name # Transaction(w) \\/ writer[w].rounds < MaxRounds} /\\ UNCHANGED acknowledged",
      ],
    ],
  },
  {
    name: "a lost claim tries the same version again",
    configuration: "ending",
    caughtBy: "WritersEnd",
    replace: [
      [
        "  LET last  == Max({v \\in version..MaxVersion : \\A u \\in version..v : log[u] # None})",
        "  LET last == writer[w].version",
      ],
    ],
  },
  {
    name: "rows are committed before their progress",
    configuration: "loads",
    caughtBy: "ProgressEqualsRows",
    replace: [["txn |-> writer[w].batch,", "txn |-> 0,"]],
  },
  {
    name: "progress is the larger of two instead of compared",
    configuration: "loads",
    caughtBy: "ProgressEqualsRows",
    replace: [
      ["w \\in Loaders /\\ table.txn # writer[w].table.txn", "FALSE"],
      ["txn |-> writer[w].batch,", "txn |-> Max({writer[w].batch, writer[w].table.txn}),"],
    ],
  },
  {
    name: "a delete doesn't look whether the winner removed the same file",
    configuration: "deletes",
    caughtBy: "RemovesAreOfLiveFiles",
    replace: [["~(writer[w].removes \\subseteq table.live)", "FALSE"]],
  },
  {
    name: "a writer trusts for ever what it remembers of the table",
    configuration: "cleanup",
    caughtBy: "CommitsNeverChange",
    replace: [["memory.version >= 0 /\\ memory.seen = now", "memory.version >= 0"]],
  },
  {
    name: "cleanup removes commits that are young",
    configuration: "cleanup",
    caughtBy: "CommitsNeverChange",
    replace: [["log[v] # None /\\ Expired(log[v].time)}", "log[v] # None}"]],
  },
  {
    name: "a reader trusts for ever what it remembers of the table",
    configuration: "reads",
    caughtBy: "ReadsAreFresh",
    replace: [["memory.version >= 0 /\\ memory.seen = now", "memory.version >= 0"]],
  },
  {
    name: "a reader passes over the gaps of a listing",
    configuration: "reads",
    caughtBy: "SnapshotsAreVersions",
    replace: [
      ["IF \\E v \\in (start + 1)..last : log[v] = None THEN {}", "IF FALSE THEN {}"],
      [
        "Replay(table, log, start + 1, last)]",
        `Replay(table, [v \\in Versions |-> IF CommitName(v) \\in names /\\ log[v] # None THEN log[v] ELSE ${NO_CHANGE}], start + 1, last)]`,
      ],
    ],
  },
  {
    name: "a checkpoint is named one version too low",
    configuration: "reads",
    caughtBy: "SnapshotsAreVersions",
    replace: [["version |-> s.version, part |-> 1,", "version |-> s.version - 1, part |-> 1,"]],
  },
  {
    name: "a checkpoint is named one version too high",
    configuration: "checkpoints",
    caughtBy: "TableIsReadable",
    replace: [["version |-> s.version, part |-> 1,", "version |-> s.version + 1, part |-> 1,"]],
  },
  {
    name: "a checkpoint leaves out the progress",
    configuration: "checkpoints",
    caughtBy: "TableIsReadable",
    replace: [["{t \\in @ : ~Expired(t.time)}]", "{t \\in @ : ~Expired(t.time)}, !.txn = 0]"]],
  },
  {
    name: "an unfinished multi-part checkpoint counts as complete",
    configuration: "checkpoints",
    caughtBy: "TableIsReadable",
    replace: [
      ["/\\ \\A i \\in Parts(m.kind) : IsListed(Part(m, i)) => Part(m, i) \\in names}}", "/\\ IsListed(m)}}"],
      ["IsFetchable(checkpoint) == \\A i", "IsFetchable(checkpoint) == \\E i"],
    ],
  },
  {
    name: "cleanup ignores the checkpoint",
    configuration: "checkpoints",
    caughtBy: "TableIsReadable",
    replace: [
      [
        "p \\in {q \\in Checkpoints(names) : q.version <= Max(expired \\cup {-1})}}",
        "p \\in {CommitName(v) : v \\in expired}}",
      ],
    ],
  },
  {
    name: "cleanup goes by a checkpoint that isn't finished",
    configuration: "checkpoints",
    caughtBy: "TableIsReadable",
    replace: [["q \\in Checkpoints(names) :", 'q \\in {n \\in names : n.kind # "commit"} :']],
  },
  {
    name: "cleanup removes the checkpoint that it goes by",
    configuration: "checkpoints",
    caughtBy: "TableIsReadable",
    replace: [["n.version < cutoff}", "n.version <= cutoff}"]],
  },
  {
    name: "cleanup removes young sidecars that no manifest names yet",
    configuration: "sidecars",
    caughtBy: "TableIsReadable",
    replace: [[" /\\ Expired(n.made.time)}", "}"]],
  },
  {
    name: "the sidecars of a version share one name",
    configuration: "sidecars",
    caughtBy: "TableIsReadable",
    replace: [["[by |-> c, time |-> now]", "NotMade"]],
  },
  {
    name: "vacuum removes young files that no version refers to yet",
    configuration: "files",
    caughtBy: "FilesExist",
    replace: [["g \\in files : Expired(g.time)}", "g \\in files : TRUE}"]],
  },
  {
    name: "vacuum removes old files that were removed from the table just now",
    configuration: "files",
    caughtBy: "FilesExist",
    replace: [["(s.table.live \\cup recent)", "s.table.live"]],
  },
  {
    name: "a checkpoint leaves out the tombstones",
    configuration: "files",
    caughtBy: "FilesExist",
    replace: [["{t \\in @ : ~Expired(t.time)}", "{}"]],
  },
  {
    name: "a load's state is put after the commit that names it",
    configuration: "steps",
    caughtBy: "StateIsThere",
    replace: [
      [
        "  /\\ states' = states \\cup {[id |-> Id(r), step |-> run[r].seen.step + 1, previous |-> run[r].seen.id]}\n",
        "  /\\ UNCHANGED states\n",
      ],
      [
        "states' = {s \\in states : s.id # run[r].previous}",
        "states' = states \\cup {[id |-> Id(r), step |-> run[r].seen.step + 1, previous |-> run[r].seen.id]}",
      ],
    ],
  },
  {
    name: "a step removes the state that its commit names",
    configuration: "steps",
    caughtBy: "StateIsThere",
    replace: [["s.id # run[r].previous", "s.id # Id(r)"]],
  },
  {
    name: "a run that finds no state calls its place lost, though others have moved on",
    configuration: "steps",
    caughtBy: "NothingIsLost",
    replace: [['IF txn = run[r].seen THEN "lost" ELSE "idle"', '"lost"']],
  },
  {
    name: "what a first attempt left passes for progress that was lost",
    configuration: "steps",
    caughtBy: "NothingIsLost",
    replace: [["IF states = {} \\/ IsFirstAttempt THEN", "IF states = {} THEN"]],
  },
  {
    name: "progress that was forgotten passes for a first attempt",
    configuration: "forgotten",
    caughtBy: "RowsOnce",
    replace: [["IsFirstAttempt == LogKept /\\ ~committed", "IsFirstAttempt == TRUE"]],
  },
  {
    name: "where the log doesn't reach back, nothing was ever committed",
    configuration: "unknown",
    caughtBy: "RowsOnce",
    replace: [["IsFirstAttempt == LogKept /\\ ~committed", "IsFirstAttempt == ~LogKept \\/ ~committed"]],
  },
  {
    name: "two runs don't look whether the other was first",
    configuration: "steps",
    caughtBy: "RowsOnce",
    replace: [["/\\ IF txn = run[r].seen\n", "/\\ IF TRUE\n"]],
  },
  {
    name: "dead letters are committed before their batch",
    configuration: "steps",
    caughtBy: "LettersFollow",
    replace: [
      [
        '  /\\ Go(r, "put")\n  /\\ UNCHANGED <<rows, txn, committed, letters, letterTxn, letterFiles, killed>>',
        '  /\\ Go(r, "put")\n  /\\ CommitLetters(run[r].seen.step + 1)\n  /\\ UNCHANGED <<rows, txn, committed, letterFiles, killed>>',
      ],
    ],
  },
  {
    name: "dead letters of a step that was killed are forgotten",
    configuration: "steps",
    caughtBy: "DoneIsWhole",
    replace: [["  /\\ CommitLetters(run[r].seen.step)\n", "  /\\ UNCHANGED <<letters, letterTxn>>\n"]],
  },
  {
    name: "dead letters are committed though their table has them",
    configuration: "steps",
    caughtBy: "LettersFollow",
    replace: [["IF letterTxn >= step THEN", "IF letterTxn > step THEN"]],
  },
  {
    name: "a step that was committed removes its letters",
    configuration: "steps",
    caughtBy: "LettersAreThere",
    replace: [
      [
        '/\\ Go(r, "committed")\n             /\\ UNCHANGED letterFiles',
        '/\\ Go(r, "committed")\n             /\\ letterFiles\' = letterFiles \\ {Id(r)}',
      ],
    ],
  },
];
