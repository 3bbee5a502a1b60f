------------------------------- MODULE commit -------------------------------
(***************************************************************************)
(* How this product changes a Delta table and reads it: commits,           *)
(* checkpoints, log cleanup, vacuum and the progress of loads, on storage  *)
(* that loses answers and with processes that may die between any two      *)
(* steps.  spec/model.md says what is modelled and what isn't, and lists   *)
(* the mutants of this text that must each break a property below.         *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, TLC

CONSTANTS
  Appenders,      \* writers of one blind append each
  Deleters,       \* writers that each remove one file they have read
  Loaders,        \* runs of one load job, at once or one after another
  Batches,        \* the load's source: batches 1..Batches
  Readers,        \* handles that read, again and again
  Checkpointers,
  Kinds,          \* of checkpoints: a subset of {"classic", "multipart", "v2"}
  CheckpointVersions,   \* where they write one: delta.checkpointInterval
  Cleaners,       \* of the log
  Vacuums,        \* of the data files
  MaxVersion,
  MaxTime,
  Retention,      \* of everything, in ticks
  MaxRounds,      \* puts of one claim before its outcome is called unknown
  LostAnswers,    \* TRUE: any request may be lost, before or after its effect
  Crashes         \* TRUE: any writer may die anywhere

VARIABLES
  log,            \* version -> the commit in N.json, or None
  checkpoints,    \* the objects that checkpoints are made of
  hint,           \* the version in _last_checkpoint, or -1
  files,          \* data files on storage
  sent,           \* conditional puts that storage may still carry out
  now,            \* in ticks of storage's clock
  writer, reader, checkpointer, cleaner, vacuum,   \* what each process knows
  history,        \* what was claimed first at each version: only properties look at it
  acknowledged    \* what callers were told: only properties look at it

storage   == <<log, checkpoints, hint, files, sent>>
processes == <<writer, reader, checkpointer, cleaner, vacuum>>
vars      == <<storage, processes, now, history, acknowledged>>

Versions == 0..MaxVersion
Newest   == MaxVersion + 1   \* what a reader wants that doesn't travel in time
None     == [by |-> "nobody"]
Writers  == Appenders \cup Deleters \cup Loaders

Max(S) == CHOOSE x \in S : \A y \in S : y <= x

(***************************************************************************)
(* Time.  An object may go when it is Retention ticks old, and by then     *)
(* every operation that began before it was made is over, a request even   *)
(* in the tick it was sent in.  That stands for the rule that retention is *)
(* longer than any operation.                                              *)
(***************************************************************************)
Expired(time) == time + Retention <= now

(***************************************************************************)
(* A table is what replaying commits gives (PROTOCOL.md, Action            *)
(* Reconciliation).  A commit adds at most one file, named by its          *)
(* transaction, so that names are unique as those with a UUID are.         *)
(***************************************************************************)
EmptyTable == [live |-> {}, txn |-> 0, tombstones |-> {}]
Visible(table) == <<table.live, table.txn>>

Apply(table, commit) ==
  [live       |-> (table.live \ commit.removes) \cup commit.adds,
   txn        |-> IF commit.txn = 0 THEN table.txn ELSE commit.txn,
   tombstones |-> table.tombstones \cup {[file |-> f, time |-> commit.time] : f \in commit.removes}]

RECURSIVE Replay(_, _, _, _)
Replay(table, commits, first, last) ==
  IF first > last THEN table ELSE Replay(Apply(table, commits[first]), commits, first + 1, last)

\* The table at a version, whatever storage says today.
TableAt(version) == Replay(EmptyTable, history, 0, version)
Claimed == {v \in Versions : history[v] # None}
NewestVersion == Max(Claimed \cup {-1})

(***************************************************************************)
(* Names in the log.  A multi-part checkpoint has the progress in part 1   *)
(* and the files in part 2.  A V2 one is a manifest (part 2) that refers   *)
(* to a sidecar (part 1), which no listing of the log shows; a UUID, here  *)
(* `made`, keeps their names apart from those of every other attempt.      *)
(***************************************************************************)
Parts(kind) == IF kind = "classic" THEN {1} ELSE {1, 2}
IsListed(name) == ~(name.kind = "v2" /\ name.part = 1)

NotMade == [by |-> "nobody", time |-> 0]
CommitName(v) == [kind |-> "commit", version |-> v, part |-> 1, made |-> NotMade]
CheckpointNames == {c.name : c \in checkpoints}
NamesFrom(version) ==
  {CommitName(v) : v \in {u \in Versions : u >= version /\ log[u] # None}}
    \cup {n \in CheckpointNames : n.version >= version /\ IsListed(n)}

Part(checkpoint, i) == [checkpoint EXCEPT !.part = i]

\* The checkpoints that a listing shows every part of; part 0 stands for all of them together.
Checkpoints(names) ==
  {Part(n, 0) : n \in {m \in names :
    /\ m.kind # "commit"
    /\ \A i \in Parts(m.kind) : IsListed(Part(m, i)) => Part(m, i) \in names}}

\* Whatever was listed may be gone by now.
IsFetchable(checkpoint) == \A i \in Parts(checkpoint.kind) : Part(checkpoint, i) \in CheckpointNames

Content(checkpoint) ==
  LET TableIn(i) == LET found == {c \in checkpoints : c.name = Part(checkpoint, i)}
                    IN IF found = {} THEN EmptyTable ELSE (CHOOSE c \in found : TRUE).table
  IN IF checkpoint.kind = "classic" THEN TableIn(1) ELSE [TableIn(1) EXCEPT !.live = TableIn(2).live]

(***************************************************************************)
(* Rebuilding a version from a listing that began at `from`                *)
(* (src/log/segment.ts): the newest complete checkpoint up to it, of any   *)
(* kind it has, and every commit after that, each of which must be there.  *)
(* Gives the snapshots that may come out; none where the files don't do.   *)
(***************************************************************************)
Snapshots(names, from, want) ==
  LET complete == Checkpoints(names)
      newest   == Max({n.version : n \in complete \cup {m \in names : m.kind = "commit"}} \cup {-1})
      last     == IF want = Newest THEN newest ELSE want
      usable   == {c \in complete : c.version <= last}
      start    == Max({c.version : c \in usable} \cup {-1})
      tables   == IF start = -1 THEN {EmptyTable}
                  ELSE {Content(c) : c \in {d \in usable : d.version = start /\ IsFetchable(d)}}
  IN IF last > newest \/ (start = -1 /\ from > 0) THEN {}
     \* A commit that the listing lacks is asked for by name: a listing that runs while others commit may miss some.
     ELSE IF \E v \in (start + 1)..last : log[v] = None THEN {}
     ELSE {[version |-> last, table |-> Replay(table, log, start + 1, last)] : table \in tables}

\* What is read in one go; the steps of a read are modelled by the readers.
TableNow == Snapshots(NamesFrom(0), 0, Newest)

(***************************************************************************)
(* A writer (src/write/transaction.ts, src/log/commit.ts): begin, stage,   *)
(* claim, and if the claim's answer doesn't tell whose the version is,     *)
(* read it back.                                                           *)
(***************************************************************************)
Transaction(w) == [by |-> w, number |-> writer[w].number]
Ended == {"done", "crashed", "unknown"}
NewWriter == [at |-> "idle", began |-> 0, number |-> 0, version |-> -1, table |-> EmptyTable, seen |-> 0, batch |-> 0,
              removes |-> {}, rounds |-> 0]
End(w, at) == [writer EXCEPT ![w] = [NewWriter EXCEPT !.at = at]]
IsRunning(w) == writer[w].at \notin Ended \cup {"idle"}

\* A handle remembers the newest version it saw. Only for so long: when cleanup has removed the commit after it, that
\* version would pass for the newest again, and its successor for free.
KnowsNewest(memory) == memory.version >= 0 /\ memory.seen = now

Begin(w) ==
  LET memory == writer[w]
      known  == IF KnowsNewest(memory) THEN {[version |-> memory.version, table |-> memory.table, seen |-> memory.seen]}
                ELSE {[version |-> s.version, table |-> s.table, seen |-> now] : s \in TableNow}
  IN /\ memory.at = "idle"
     /\ \E s \in known :
        \E removes \in IF w \in Deleters THEN {{f} : f \in s.table.live} ELSE {{}} :
          writer' = IF w \in Loaders /\ s.table.txn = Batches THEN End(w, "done")
                    ELSE [writer EXCEPT ![w] =
                      [at |-> IF w \in Deleters THEN "staged" ELSE "begun",
                       began |-> now, number |-> memory.number + 1,
                       version |-> s.version, table |-> s.table, seen |-> s.seen,
                       batch |-> IF w \in Loaders THEN s.table.txn + 1 ELSE 0,
                       removes |-> removes, rounds |-> 0]]
     /\ UNCHANGED <<storage, reader, checkpointer, cleaner, vacuum, now, history, acknowledged>>

Stage(w) ==
  /\ writer[w].at = "begun"
  /\ files' = files \cup {[name |-> Transaction(w), time |-> now]}
  /\ writer' = [writer EXCEPT ![w].at = "staged"]
  /\ UNCHANGED <<log, checkpoints, hint, sent, reader, checkpointer, cleaner, vacuum, now, history, acknowledged>>

\* Rows and the progress that tells of them are one commit.
CommitOf(w) ==
  [by |-> w, number |-> writer[w].number,
   adds |-> IF w \in Deleters THEN {} ELSE {Transaction(w)}, removes |-> writer[w].removes,
   batch |-> writer[w].batch,
   txn |-> writer[w].batch,
   time |-> now]

Claim(w) ==
  LET version == writer[w].version + 1
  IN /\ writer[w].at = "staged"
     /\ version \in Versions
     /\ sent' = sent \cup {[version |-> version, commit |-> CommitOf(w)]}
     /\ writer' = [writer EXCEPT ![w].at = "waiting", ![w].rounds = @ + 1]
     /\ UNCHANGED <<log, checkpoints, hint, files, reader, checkpointer, cleaner, vacuum, now, history, acknowledged>>

IsOwn(commit, w) == commit.by = w /\ commit.number = writer[w].number

\* A transaction is over; a load goes on from what it knows now.
Finish(w, version, table, seen) ==
  IF w \in Loaders
  THEN [writer EXCEPT ![w] =
         [NewWriter EXCEPT !.number = writer[w].number, !.version = version, !.table = table, !.seen = seen]]
  ELSE End(w, "done")

\* The caller is told that its commit stands.
Acknowledge(w, commit, version) ==
  /\ acknowledged' = acknowledged \cup {[by |-> w, number |-> writer[w].number, version |-> version]}
  /\ writer' = Finish(w, version, Apply(writer[w].table, commit), commit.time)

IsAwaited(put) ==
  LET w == put.commit.by
  IN writer[w].at = "waiting" /\ IsOwn(put.commit, w) /\ writer[w].version + 1 = put.version

\* Storage carries a put out: once, or again where somebody on the way repeats it. The answer may be lost.
Land(put) ==
  LET w       == put.commit.by
      created == log[put.version] = None
  IN /\ log' = IF created THEN [log EXCEPT ![put.version] = put.commit] ELSE log
     /\ history' = IF history[put.version] = None THEN [history EXCEPT ![put.version] = put.commit] ELSE history
     /\ \/ /\ IsAwaited(put)
           /\ sent' = sent \ {put}
           /\ IF created THEN Acknowledge(w, put.commit, put.version)
              ELSE writer' = [writer EXCEPT ![w].at = "exists"] /\ UNCHANGED acknowledged
        \/ /\ LostAnswers \/ ~IsAwaited(put)
           /\ UNCHANGED <<sent, writer, acknowledged>>
     /\ UNCHANGED <<checkpoints, hint, files, reader, checkpointer, cleaner, vacuum, now>>

Lose(put) ==
  /\ LostAnswers \/ ~IsAwaited(put)
  /\ sent' = sent \ {put}
  /\ UNCHANGED <<log, checkpoints, hint, files, processes, now, history, acknowledged>>

\* No answer, or one that says neither. The put may still be on its way.
TimeOut(w) ==
  /\ LostAnswers
  /\ writer[w].at = "waiting"
  /\ writer' = [writer EXCEPT ![w].at = "unclear"]
  /\ UNCHANGED <<storage, reader, checkpointer, cleaner, vacuum, now, history, acknowledged>>

\* The same staged files go after the winners' commits, unless these contradict what the transaction read.
Rebase(w, version) ==
  LET last  == Max({v \in version..MaxVersion : \A u \in version..v : log[u] # None})
      table == Replay(writer[w].table, log, version, last)
      conflict == \/ w \in Loaders /\ table.txn # writer[w].table.txn
                  \/ ~(writer[w].removes \subseteq table.live)
  IN IF conflict
     THEN /\ writer' = Finish(w, last, table, now)
          /\ files' = {f \in files : f.name # Transaction(w)}
     ELSE /\ writer' = [writer EXCEPT ![w].at = "staged", ![w].rounds = 0,
                                      ![w].version = last, ![w].table = table, ![w].seen = now]
          /\ UNCHANGED files

\* N.json itself says whose it is, also after "exists": a repeated put finds its own first one.
ReadBack(w) ==
  LET version == writer[w].version + 1
      found   == log[version]
  IN /\ writer[w].at \in {"unclear", "exists"}
     /\ CASE found = None ->
               /\ writer' = IF writer[w].rounds < MaxRounds THEN [writer EXCEPT ![w].at = "staged"]
                            ELSE End(w, "unknown")
               /\ UNCHANGED <<files, acknowledged>>
          [] found # None /\ IsOwn(found, w) -> Acknowledge(w, found, version) /\ UNCHANGED files
          [] OTHER -> Rebase(w, version) /\ UNCHANGED acknowledged
     /\ UNCHANGED <<log, checkpoints, hint, sent, reader, checkpointer, cleaner, vacuum, now, history>>

Crash(w) ==
  /\ Crashes
  /\ IsRunning(w)
  /\ writer' = End(w, "crashed")
  /\ UNCHANGED <<storage, reader, checkpointer, cleaner, vacuum, now, history, acknowledged>>

(***************************************************************************)
(* A reader: the hint, a listing that is no instant, the files.  It then   *)
(* keeps the snapshot, and may go on from it.                              *)
(***************************************************************************)
NewReader == [at |-> "idle", began |-> 0, want |-> Newest, from |-> 0, before |-> {}, atLeast |-> -1,
              version |-> -1, table |-> EmptyTable, seen |-> 0]

ReadHint(r) ==
  /\ reader[r].at = "idle"
  /\ \E want \in (0..NewestVersion - 1) \cup {Newest} :
       reader' = [reader EXCEPT ![r] = [NewReader EXCEPT
         !.at = "hinted", !.began = now, !.want = want, !.atLeast = IF want = Newest THEN NewestVersion ELSE -1,
         !.from = IF hint >= 0 /\ hint <= want THEN hint ELSE 0]]
  /\ UNCHANGED <<storage, writer, checkpointer, cleaner, vacuum, now, history, acknowledged>>

BeginList(r) ==
  /\ reader[r].at = "hinted"
  /\ reader' = [reader EXCEPT ![r].at = "listing", ![r].before = NamesFrom(reader[r].from)]
  /\ UNCHANGED <<storage, writer, checkpointer, cleaner, vacuum, now, history, acknowledged>>

\* What came or went meanwhile is listed or not, each name for itself.
EndList(r) ==
  LET memory == reader[r]
      after  == NamesFrom(memory.from)
      both   == memory.before \cap after
  IN /\ memory.at = "listing"
     /\ \E some \in SUBSET ((memory.before \cup after) \ both) :
          LET found == Snapshots(both \cup some, memory.from, memory.want)
          IN IF found # {}
             THEN \E s \in found :
                    reader' = [reader EXCEPT ![r] = [NewReader EXCEPT
                      !.want = memory.want, !.atLeast = memory.atLeast,
                      !.version = s.version, !.table = s.table, !.seen = memory.began]]
             ELSE reader' = [reader EXCEPT ![r] =
                    \* The hint led nowhere: the whole log. Nor did that: an error, and nothing is read.
                    IF memory.from > 0 THEN [memory EXCEPT !.at = "hinted", !.from = 0, !.before = {}] ELSE NewReader]
     /\ UNCHANGED <<storage, writer, checkpointer, cleaner, vacuum, now, history, acknowledged>>

Refresh(r) ==
  LET memory == reader[r]
      next   == memory.version + 1
      last   == Max({v \in memory.version..MaxVersion : \A u \in next..v : log[u] # None})
  IN /\ memory.at = "idle"
     /\ memory.want = Newest
     /\ KnowsNewest(memory)
     /\ reader' = [reader EXCEPT ![r].atLeast = NewestVersion, ![r].version = last,
                                 ![r].table = Replay(@, log, next, last), ![r].seen = now]
     /\ UNCHANGED <<storage, writer, checkpointer, cleaner, vacuum, now, history, acknowledged>>

(***************************************************************************)
(* A checkpoint of the newest version (src/log/checkpoint.ts): its parts,  *)
(* one after the other, then the hint.  It may be abandoned anywhere.      *)
(***************************************************************************)
BeginCheckpoint(c) ==
  /\ checkpointer[c].at = "idle"
  /\ \E kind \in Kinds, s \in TableNow :
       /\ s.version \in CheckpointVersions
       /\ checkpointer' = [checkpointer EXCEPT ![c] =
            [at |-> "writing", began |-> now,
             name |-> [kind |-> kind, version |-> s.version, part |-> 1,
                       made |-> IF kind = "v2" THEN [by |-> c, time |-> now] ELSE NotMade],
             table |-> [s.table EXCEPT !.tombstones = {t \in @ : ~Expired(t.time)}]]]
  /\ UNCHANGED <<storage, writer, reader, cleaner, vacuum, now, history, acknowledged>>

WritePart(c) ==
  LET mine == checkpointer[c]
      name == mine.name
  IN /\ mine.at = "writing"
     /\ checkpoints' = {o \in checkpoints : o.name # name} \cup {[name |-> name, table |-> mine.table]}
     /\ checkpointer' = [checkpointer EXCEPT ![c] =
          IF name.part = Max(Parts(name.kind)) THEN [mine EXCEPT !.at = "written"]
          ELSE [mine EXCEPT !.name.part = @ + 1]]
     /\ UNCHANGED <<log, hint, files, sent, writer, reader, cleaner, vacuum, now, history, acknowledged>>

NoCheckpoint == [at |-> "idle", began |-> 0, name |-> CommitName(0), table |-> EmptyTable]

WriteHint(c) ==
  /\ checkpointer[c].at = "written"
  /\ hint' = checkpointer[c].name.version
  /\ checkpointer' = [checkpointer EXCEPT ![c] = NoCheckpoint]
  /\ UNCHANGED <<log, checkpoints, files, sent, writer, reader, cleaner, vacuum, now, history, acknowledged>>

AbandonCheckpoint(c) ==
  /\ checkpointer[c].at # "idle"
  /\ checkpointer' = [checkpointer EXCEPT ![c] = NoCheckpoint]
  /\ UNCHANGED <<storage, writer, reader, cleaner, vacuum, now, history, acknowledged>>

(***************************************************************************)
(* Cleaning the log (PROTOCOL.md, Metadata Cleanup): what is older than    *)
(* the newest complete checkpoint that isn't newer than the newest expired *)
(* commit goes; so do old sidecars that no manifest names.                 *)
(***************************************************************************)
BeginCleanup(c) ==
  LET names   == NamesFrom(0)
      expired == {v \in Versions : log[v] # None /\ Expired(log[v].time)}
      cutoff  == Max({p.version : p \in {q \in Checkpoints(names) : q.version <= Max(expired \cup {-1})}} \cup {-1})
      sidecars == {n \in CheckpointNames : ~IsListed(n) /\ Expired(n.made.time)}
      orphans == {n \in sidecars : Part(n, 2) \notin names}
      doomed  == {n \in names \cup CheckpointNames : n.version < cutoff} \cup orphans
  IN /\ cleaner[c].at = "idle"
     /\ doomed # {}
     /\ cleaner' = [cleaner EXCEPT ![c] = [at |-> "deleting", began |-> now, doomed |-> doomed]]
     /\ UNCHANGED <<storage, writer, reader, checkpointer, vacuum, now, history, acknowledged>>

NothingDoomed == [at |-> "idle", began |-> 0, doomed |-> {}]
Forget(memory, name) ==
  LET left == memory.doomed \ {name}
  IN IF left = {} THEN NothingDoomed ELSE [memory EXCEPT !.doomed = left]

Clean(c) ==
  /\ cleaner[c].at = "deleting"
  /\ \E name \in cleaner[c].doomed :
       /\ IF name.kind = "commit"
          THEN log' = [log EXCEPT ![name.version] = None] /\ UNCHANGED checkpoints
          ELSE checkpoints' = {o \in checkpoints : o.name # name} /\ UNCHANGED log
       /\ cleaner' = [cleaner EXCEPT ![c] = Forget(@, name)]
  /\ UNCHANGED <<hint, files, sent, writer, reader, checkpointer, vacuum, now, history, acknowledged>>

AbandonCleanup(c) ==
  /\ cleaner[c].at # "idle"
  /\ cleaner' = [cleaner EXCEPT ![c] = NothingDoomed]
  /\ UNCHANGED <<storage, writer, reader, checkpointer, vacuum, now, history, acknowledged>>

(***************************************************************************)
(* Vacuum: data files that the newest version doesn't refer to go when     *)
(* they are old, since a young one may be staged for a commit to come, and *)
(* were not removed lately, since a reader may still be at work on them.   *)
(***************************************************************************)
BeginVacuum(u) ==
  /\ vacuum[u].at = "idle"
  /\ \E s \in TableNow :
       LET recent == {t.file : t \in {x \in s.table.tombstones : ~Expired(x.time)}}
           doomed == {f.name : f \in {g \in files : Expired(g.time)}} \ (s.table.live \cup recent)
       IN /\ doomed # {}
          /\ vacuum' = [vacuum EXCEPT ![u] = [at |-> "deleting", began |-> now, doomed |-> doomed]]
  /\ UNCHANGED <<storage, writer, reader, checkpointer, cleaner, now, history, acknowledged>>

DeleteFile(u) ==
  /\ vacuum[u].at = "deleting"
  /\ \E name \in vacuum[u].doomed :
       /\ files' = {f \in files : f.name # name}
       /\ vacuum' = [vacuum EXCEPT ![u] = Forget(@, name)]
  /\ UNCHANGED <<log, checkpoints, hint, sent, writer, reader, checkpointer, cleaner, now, history, acknowledged>>

AbandonVacuum(u) ==
  /\ vacuum[u].at # "idle"
  /\ vacuum' = [vacuum EXCEPT ![u] = NothingDoomed]
  /\ UNCHANGED <<storage, writer, reader, checkpointer, cleaner, now, history, acknowledged>>

(***************************************************************************)
(* Everything together.                                                    *)
(***************************************************************************)
Tick ==
  LET MayLast(memory) == memory.at = "idle" \/ memory.began + Retention > now + 1
  IN /\ now < MaxTime
     /\ sent = {}
     /\ \A w \in Writers : IsRunning(w) => MayLast(writer[w])
     /\ \A r \in Readers : MayLast(reader[r])
     /\ \A c \in Checkpointers : MayLast(checkpointer[c])
     /\ \A c \in Cleaners : MayLast(cleaner[c])
     /\ \A u \in Vacuums : MayLast(vacuum[u])
     /\ now' = now + 1
     /\ UNCHANGED <<storage, processes, history, acknowledged>>

Init ==
  /\ log = [v \in Versions |-> None]
  /\ checkpoints = {}
  /\ hint = -1
  /\ files = {}
  /\ sent = {}
  /\ now = 0
  /\ writer = [w \in Writers |-> NewWriter]
  /\ reader = [r \in Readers |-> NewReader]
  /\ checkpointer = [c \in Checkpointers |-> NoCheckpoint]
  /\ cleaner = [c \in Cleaners |-> NothingDoomed]
  /\ vacuum = [u \in Vacuums |-> NothingDoomed]
  /\ history = [v \in Versions |-> None]
  /\ acknowledged = {}

WriterStep(w) == Begin(w) \/ Stage(w) \/ Claim(w) \/ TimeOut(w) \/ ReadBack(w)

Next ==
  \/ \E w \in Writers : WriterStep(w) \/ Crash(w)
  \/ \E put \in sent : Land(put) \/ Lose(put)
  \/ \E r \in Readers : ReadHint(r) \/ BeginList(r) \/ EndList(r) \/ Refresh(r)
  \/ \E c \in Checkpointers : BeginCheckpoint(c) \/ WritePart(c) \/ WriteHint(c) \/ AbandonCheckpoint(c)
  \/ \E c \in Cleaners : BeginCleanup(c) \/ Clean(c) \/ AbandonCleanup(c)
  \/ \E u \in Vacuums : BeginVacuum(u) \/ DeleteFile(u) \/ AbandonVacuum(u)
  \/ Tick

\* Processes of a kind are alike, so that it is enough to look at one order of them.
Symmetry == Permutations(Appenders) \cup Permutations(Deleters) \cup Permutations(Loaders) \cup Permutations(Readers)

\* Where nothing is ever cleaned up, a put that nobody waits for is of no account any more once its version is taken.
View == <<log, checkpoints, hint, files, {put \in sent : log[put.version] = None \/ IsAwaited(put)}, processes, now,
          history, acknowledged>>

\* Where writers are looked at elsewhere: what others see of a commit happens at once.
WritersHurry == (\E w \in Writers : IsRunning(w)) => writer' # writer \/ sent' # sent

Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ (\A w \in Writers : WF_vars(WriterStep(w))) /\ WF_vars(\E put \in sent : Land(put) \/ Lose(put))

(***************************************************************************)
(* What must hold.                                                         *)
(***************************************************************************)
VersionsAreContiguous == Claimed = 0..NewestVersion

CommitsNeverChange == \A v \in Versions : log[v] \in {history[v], None}

NoCommitTwice ==
  \A v, u \in Claimed : v # u => <<history[v].by, history[v].number>> # <<history[u].by, history[u].number>>

AcknowledgedStays ==
  \A a \in acknowledged : /\ history[a.version] # None
                          /\ history[a.version].by = a.by
                          /\ history[a.version].number = a.number

\* Nothing is removed that a commit before has removed already: the order of versions is a serial order.
RemovesAreOfLiveFiles == \A v \in Claimed : history[v].removes \subseteq TableAt(v - 1).live

ProgressEqualsRows ==
  \A v \in Claimed : \A batch \in 1..Batches :
    Cardinality({u \in 0..v : history[u].batch = batch}) = (IF batch <= TableAt(v).txn THEN 1 ELSE 0)

\* Whoever reads the newest version from scratch gets it, by whichever checkpoint.
TableIsReadable ==
  /\ TableNow # {}
  /\ \A s \in TableNow : s.version = NewestVersion /\ Visible(s.table) = Visible(TableAt(NewestVersion))

SnapshotsAreVersions ==
  \A r \in Readers : /\ Visible(reader[r].table) = Visible(TableAt(reader[r].version))
                     /\ reader[r].version \in {-1, reader[r].want} \/ reader[r].want = Newest

\* A read sees every commit that was there when it began.
ReadsAreFresh ==
  \A r \in Readers : reader[r].at = "idle" /\ reader[r].want = Newest /\ reader[r].version >= 0
                       => reader[r].version >= reader[r].atLeast

\* The files of the newest version, and of each that was the newest within the retention.
FilesExist ==
  \A v \in Claimed : v = NewestVersion \/ ~Expired(history[v + 1].time)
                       => TableAt(v).live \subseteq {f.name : f \in files}

\* Whoever isn't killed comes to an end.
WritersEnd == \A w \in Writers : <>(writer[w].at \in Ended)
=============================================================================
