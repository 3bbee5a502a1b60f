-------------------------------- MODULE load --------------------------------
(***************************************************************************)
(* A load's place and its dead letters (src/load/progress.ts, loadJob.ts,  *)
(* deadLetters.ts).  A commit is one step here, of which commit.tla tells  *)
(* more; what is looked at is everything around it: the state's file that  *)
(* is put before, the two `txn` that name it, the letters that a table of  *)
(* their own gets after, what is removed, and what engines may forget.     *)
(* Runs die between any two steps, and begin anew.                         *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, TLC

CONSTANTS
  Runs,           \* of one load job, at once or one after another
  Batches,        \* the load's source: batches 1..Batches, each with dead letters
  Attempts,       \* how often a run may be killed
  Forgets,        \* TRUE: engines may forget `txn` (delta.setTransactionRetentionDuration), once
  LogKept         \* TRUE: the log reaches back to the job's first attempt

VARIABLES
  rows,           \* of the table: how often each batch is in it
  txn,            \* what its newest version records of the job: [step, id], or Nothing
  committed,      \* TRUE once a step was ever committed: what the log, where it is kept, tells
  states,         \* the files of states: names, each with its step, its predecessor's name, its letters
  letters,        \* of the letters' table: how often each batch's letters are in it
  letterTxn,      \* the newest step that it records
  letterFiles,    \* data files of letters on storage
  run,            \* what each run knows
  killed          \* how often

vars == <<rows, txn, committed, states, letters, letterTxn, letterFiles, run, killed>>
Steps   == 1..Batches
Nothing == [step |-> 0, id |-> <<>>]

\* A state is named after its content, in which the step is, and the files of its letters, whose names nobody else has.
Id(r) == <<r, run[r].tries>>
NoRun == [at |-> "idle", tries |-> 0, seen |-> Nothing, previous |-> <<>>]

State(id) == CHOOSE s \in states : s.id = id
HasState(id) == \E s \in states : s.id = id
Go(r, at) == run' = [run EXCEPT ![r].at = at]

(***************************************************************************)
(* Where the job is.  Files of states without a `txn` are a first attempt  *)
(* that failed, or progress that was forgotten: the log tells.             *)
(***************************************************************************)
IsFirstAttempt == LogKept /\ ~committed

Open(r) ==
  /\ run[r].at = "idle"
  /\ run' = [run EXCEPT ![r] =
       IF txn = Nothing
       THEN IF states = {} \/ IsFirstAttempt THEN [@ EXCEPT !.at = "read", !.seen = Nothing, !.previous = <<>>]
            ELSE [@ EXCEPT !.at = "lost"]
       ELSE [@ EXCEPT !.at = "known", !.seen = txn]]
  /\ UNCHANGED <<rows, txn, committed, states, letters, letterTxn, letterFiles, killed>>

\* The state of the version that was seen. Others may have made two steps since, and removed it: then it looks again.
ReadState(r) ==
  /\ run[r].at = "known"
  /\ run' = [run EXCEPT ![r] =
       IF HasState(run[r].seen.id) THEN [@ EXCEPT !.at = "late", !.previous = State(run[r].seen.id).previous]
       ELSE [@ EXCEPT !.at = IF txn = run[r].seen THEN "lost" ELSE "idle"]]
  /\ UNCHANGED <<rows, txn, committed, states, letters, letterTxn, letterFiles, killed>>

\* Commits the letters of a step, unless the letters' table has them.
CommitLetters(step) ==
  IF letterTxn >= step THEN UNCHANGED <<letters, letterTxn>>
  ELSE letters' = [letters EXCEPT ![step] = @ + 1] /\ letterTxn' = step

\* Of a run that was killed before it could.
LateLetters(r) ==
  /\ run[r].at = "late"
  /\ CommitLetters(run[r].seen.step)
  /\ Go(r, "read")
  /\ UNCHANGED <<rows, txn, committed, states, letterFiles, killed>>

(***************************************************************************)
(* A step: the letters' file, the state that names it, the commit, what is *)
(* out of use, the letters' commit.                                        *)
(***************************************************************************)
Stage(r) ==
  /\ run[r].at = "read"
  /\ IF run[r].seen.step = Batches THEN Go(r, "done") /\ UNCHANGED letterFiles
     ELSE /\ run' = [run EXCEPT ![r].at = "staged", ![r].tries = @ + 1]
          /\ letterFiles' = letterFiles \cup {<<r, run[r].tries + 1>>}
  /\ UNCHANGED <<rows, txn, committed, states, letters, letterTxn, killed>>

PutState(r) ==
  /\ run[r].at = "staged"
  /\ states' = states \cup {[id |-> Id(r), step |-> run[r].seen.step + 1, previous |-> run[r].seen.id]}
  /\ Go(r, "put")
  /\ UNCHANGED <<rows, txn, committed, letters, letterTxn, letterFiles, killed>>

\* Rows and both `txn` at once, if the table records what the run began with; else it looks again, and its files go.
Commit(r) ==
  LET step == run[r].seen.step + 1
  IN /\ run[r].at = "put"
     /\ IF txn = run[r].seen
        THEN /\ rows' = [rows EXCEPT ![step] = @ + 1]
             /\ txn' = [step |-> step, id |-> Id(r)]
             /\ committed' = TRUE
             /\ Go(r, "committed")
             /\ UNCHANGED letterFiles
        ELSE /\ letterFiles' = letterFiles \ {Id(r)}
             /\ Go(r, "idle")
             /\ UNCHANGED <<rows, txn, committed>>
     /\ UNCHANGED <<states, letters, letterTxn, killed>>

\* Readers of the version before still need its state; that of the one before that may go.
Tidy(r) ==
  /\ run[r].at = "committed"
  /\ states' = {s \in states : s.id # run[r].previous}
  /\ Go(r, "tidy")
  /\ UNCHANGED <<rows, txn, committed, letters, letterTxn, letterFiles, killed>>

Letters(r) ==
  /\ run[r].at = "tidy"
  /\ CommitLetters(run[r].seen.step + 1)
  /\ run' = [run EXCEPT ![r].at = "read", ![r].previous = run[r].seen.id,
                        ![r].seen = [step |-> run[r].seen.step + 1, id |-> Id(r)]]
  /\ UNCHANGED <<rows, txn, committed, states, letterFiles, killed>>

Kill(r) ==
  /\ killed < Attempts
  /\ run[r].at \notin {"idle", "done", "lost"}
  /\ killed' = killed + 1
  /\ Go(r, "idle")
  /\ UNCHANGED <<rows, txn, committed, states, letters, letterTxn, letterFiles>>

\* Another engine's checkpoint leaves the progress out, both `txn` being old: longer than any run takes.
Forget ==
  /\ Forgets
  /\ txn # Nothing
  /\ \A r \in Runs : run[r].at \in {"idle", "done", "lost"}
  /\ txn' = Nothing
  /\ UNCHANGED <<rows, committed, states, letters, letterTxn, letterFiles, run, killed>>

Init ==
  /\ rows = [b \in Steps |-> 0]
  /\ txn = Nothing
  /\ committed = FALSE
  /\ states = {}
  /\ letters = [b \in Steps |-> 0]
  /\ letterTxn = 0
  /\ letterFiles = {}
  /\ run = [r \in Runs |-> NoRun]
  /\ killed = 0

RunStep(r) == Open(r) \/ ReadState(r) \/ LateLetters(r) \/ Stage(r) \/ PutState(r) \/ Commit(r) \/ Tidy(r) \/ Letters(r)

Next == Forget \/ \E r \in Runs : RunStep(r) \/ Kill(r)

Symmetry == Permutations(Runs)
Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ \A r \in Runs : WF_vars(RunStep(r))

(***************************************************************************)
(* What must hold.                                                         *)
(***************************************************************************)

\* A batch is in the table once or not yet, and none before its predecessor.
RowsOnce ==
  /\ \A b \in Steps : rows[b] <= 1
  /\ \A b \in Steps : b > 1 => rows[b] <= rows[b - 1]

\* What the table records of the job is what it holds of it.
ProgressIsRows == txn # Nothing => \A b \in Steps : rows[b] = (IF b <= txn.step THEN 1 ELSE 0)

\* The state that the table names is there.
StateIsThere == txn # Nothing => HasState(txn.id)

\* Nor are letters of a batch there that isn't, nor twice.
LettersFollow == \A b \in Steps : letters[b] <= rows[b]

\* Whoever is done has done everything, the letters too.
DoneIsWhole == \A r \in Runs : run[r].at = "done" => \A b \in Steps : rows[b] = 1 /\ letters[b] = 1

\* The letters that a step is still to have are on storage.
LettersAreThere == txn # Nothing => letters[txn.step] = 1 \/ txn.id \in letterFiles

\* Where nothing is forgotten, and the log tells of all attempts, no run says that its place is lost.
NothingIsLost == Forgets \/ ~LogKept \/ \A r \in Runs : run[r].at # "lost"

\* A run that isn't killed comes to an end.
RunsEnd == \A r \in Runs : <>(run[r].at \in {"done", "lost"})
=============================================================================
