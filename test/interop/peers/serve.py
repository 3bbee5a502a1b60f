"""A peer is a process that answers one JSON request a line. Only answers go to standard output."""

import json
import os
import sys
import traceback

# Before anything is started: a JVM prints to the standard output that it was given.
ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def serve(verbs):
    """Answers requests {"id", "verb", "args"} until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"id": request["id"], "result": verbs[request["verb"]](**request["args"])}
        except Exception as error:
            traceback.print_exc()
            answer = {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
        ANSWERS.write(json.dumps(answer) + "\n")
        ANSWERS.flush()
