import type { CommandRow } from "./command.js";
import { alter } from "./verbs/alter.js";
import { append } from "./verbs/append.js";
import { changes } from "./verbs/changes.js";
import { checkpoint } from "./verbs/checkpoint.js";
import { clone } from "./verbs/clone.js";
import { compactLog } from "./verbs/compactLog.js";
import { convert } from "./verbs/convert.js";
import { create } from "./verbs/create.js";
import { deadLetters } from "./verbs/deadLetters.js";
import { deleteRows } from "./verbs/delete.js";
import { detail } from "./verbs/detail.js";
import { files } from "./verbs/files.js";
import { fsck } from "./verbs/fsck.js";
import { history } from "./verbs/history.js";
import { load } from "./verbs/load.js";
import { merge } from "./verbs/merge.js";
import { optimize } from "./verbs/optimize.js";
import { overwrite } from "./verbs/overwrite.js";
import { protocol } from "./verbs/protocol.js";
import { read } from "./verbs/read.js";
import { restore } from "./verbs/restore.js";
import { schema } from "./verbs/schema.js";
import { sql } from "./verbs/sql.js";
import { stream } from "./verbs/stream.js";
import { update } from "./verbs/update.js";
import { vacuum } from "./verbs/vacuum.js";
import { verify } from "./verbs/verify.js";

/** The commands, in the order that the help has them. */
export const COMMANDS: readonly CommandRow[] = [
  create,
  convert,
  append,
  overwrite,
  alter,
  load,
  deadLetters,
  stream,
  deleteRows,
  update,
  merge,
  read,
  sql,
  changes,
  schema,
  history,
  detail,
  protocol,
  files,
  checkpoint,
  compactLog,
  optimize,
  vacuum,
  restore,
  clone,
  fsck,
  verify,
];
