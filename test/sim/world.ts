import { createHash } from "node:crypto";
import { deletionVectorPath } from "#src/log/deletionVectors/storage.js";
import { decodePath } from "#src/log/paths.js";
import { Disk, type Landing } from "./disk.js";
import {
  type Course,
  FAULT_KINDS,
  type FaultPoint,
  ordinaryCourse,
  outageCourse,
  type PlannedFault,
} from "./faults.js";
import {
  type CommitRecord,
  commitOf,
  type History,
  type Operation,
  parseActions,
  type Strike,
  type TableKind,
} from "./history.js";
import { RandomStream } from "./random.js";
import { wrongRemoval } from "./retention.js";
import { type Life, Scheduler } from "./scheduler.js";

const LAST_CHECKPOINT = "_delta_log/_last_checkpoint";

/** All of one run: the disk, the clock, the clients' lives, what happened, and what was wrong at once. */
export class World implements History {
  readonly scheduler = new Scheduler();
  readonly disk = new Disk();
  readonly operations: Operation[] = [];
  readonly commits: CommitRecord[] = [];
  readonly strikes: Strike[] = [];
  readonly warnings: { step: number; client: number }[] = [];
  /** What must not happen at any time. */
  readonly violations: string[] = [];
  readonly lives: Life[] = [];
  /** Undefined where every way to storage takes the same time. */
  readonly latency: RandomStream | undefined;
  readonly kind: TableKind | undefined;
  isFaulty = true;
  #trace: string[] = [];
  #calls = new Map<string, number>();
  #outageUntil = new Map<number, number>();
  #chance = new Map<Life, RandomStream>();
  #faults: Map<string, PlannedFault>;
  readonly #onDeath: (life: Life) => void;

  constructor(
    faults: readonly PlannedFault[],
    jitter: number,
    kind: TableKind | undefined,
    onDeath: (life: Life) => void,
  ) {
    this.kind = kind;
    this.#faults = new Map(faults.map((fault) => [`${fault.client} ${fault.point} ${fault.nth}`, fault]));
    this.latency = jitter === 0 ? undefined : new RandomStream(jitter);
    this.#onDeath = onDeath;
  }

  get trace(): readonly string[] {
    return this.#trace;
  }

  /** The number of the step that comes next. */
  get step(): number {
    return this.#trace.length;
  }

  note(life: Life, text: string): number {
    return (
      this.#trace.push(
        `${this.step} ${this.scheduler.nowMs - 1_767_225_600_000}ms c${life.client}.${life.number} ${text}`,
      ) - 1
    );
  }

  begin(client: number, skewMs: number): Life {
    const number = this.lives.filter((life) => life.client === client).length;
    const life = { client, number, skewMs, isDead: false };
    this.lives.push(life);
    this.#chance.set(life, new RandomStream(client, number));
    return life;
  }

  chanceOf(life: Life): RandomStream {
    return this.#chance.get(life)!;
  }

  /** What happens to a client's next call at a point. */
  courseOf(life: Life, point: FaultPoint): { readonly course: Course; readonly kind: string; readonly size: number } {
    const key = `${life.client} ${point}`;
    const nth = this.#calls.get(key) ?? 0;
    this.#calls.set(key, nth + 1);
    const ordinary = { course: ordinaryCourse(), kind: "", size: 0 };
    if (!this.isFaulty) return ordinary;
    if ((this.#outageUntil.get(life.client) ?? 0) > this.scheduler.nowMs) {
      this.strikes.push({ step: this.step, client: life.client, point, kind: "outage" });
      return { course: outageCourse(), kind: "outage", size: 0 };
    }
    const fault = this.#faults.get(`${key} ${nth}`);
    if (fault === undefined) return ordinary;
    const { kind, size } = fault;
    const course: Course = FAULT_KINDS[kind](size);
    this.strikes.push({ step: this.step, client: life.client, point, kind });
    if (course.outageMs !== undefined) this.#outageUntil.set(life.client, this.scheduler.nowMs + course.outageMs);
    return { course, kind, size };
  }

  /** Writes to the disk, and looks at what must be true of every change. */
  land(path: string, bytes: Uint8Array | undefined): Landing {
    const commit = commitOf(path);
    if (commit !== undefined && bytes !== undefined) this.#landCommit(commit, bytes, path);
    if (path === LAST_CHECKPOINT && bytes !== undefined) this.#checkHint(bytes);
    const wasThere = this.kind !== undefined && bytes === undefined && this.disk.head(path) !== undefined;
    const before = wasThere ? this.disk.paths("_delta_log/") : [];
    const landing = this.disk.land(path, bytes, Math.floor(this.scheduler.nowMs));
    if (wasThere) this.violations.push(...wrongRemoval(this, path, before));
    return landing;
  }

  /** Ends a client's life; `size` says which of its requests still arrive. */
  crash(life: Life, size: number): void {
    if (life.isDead) return;
    this.note(life, "crash");
    this.scheduler.kill(life, (order) => (size + order) % 2 === 0);
    this.#onDeath(life);
  }

  cutPower(life: Life, size: number): void {
    const lost = this.disk.cutPower(size % 4);
    const step = this.note(life, `power cut, lost: ${lost.join(" ")}`);
    for (const path of lost) {
      const lost = commitOf(path);
      // It may have been a commit's removal that was lost.
      if (this.disk.head(path) !== undefined) continue;
      for (const commit of this.commits) {
        if (commit.version === lost?.version && commit.table === lost.table) commit.undoneAt ??= step;
      }
    }
    for (const each of [...this.lives]) {
      if (each.isDead) continue;
      this.scheduler.kill(each, () => false);
      this.#onDeath(each);
    }
  }

  #landCommit({ table, version }: Pick<CommitRecord, "table" | "version">, bytes: Uint8Array, path: string): void {
    if (this.disk.head(path) !== undefined) this.violations.push(`${path} was overwritten`);
    if (this.commits.some((commit) => commit.version === version && commit.table === table && !commit.undoneAt))
      this.violations.push(`${path} was claimed again`);
    const actions = parseActions(bytes);
    const info = actions.flatMap((action) => ("commitInfo" in action ? [action.commitInfo] : []))[0];
    const torn = actions.flatMap((action) => {
      if (!("add" in action)) return [];
      const { path: file, size, deletionVector } = action.add;
      const vector = deletionVector && deletionVectorPath({ url: "sim:table" }, deletionVector);
      const isWhole = this.disk.head(table + decodePath(file))?.sizeBytes === size;
      return isWhole && (vector === undefined || this.disk.head(table + vector) !== undefined) ? [] : [file];
    });
    this.commits.push({
      table,
      version,
      landedAt: this.step,
      undoneAt: undefined,
      modifiedMs: info?.inCommitTimestamp ?? Math.floor(this.scheduler.nowMs),
      actions,
      txnId: info?.txnId,
      operation: info?.userMetadata,
      torn,
    });
  }

  #checkHint(bytes: Uint8Array): void {
    const { version } = JSON.parse(new TextDecoder().decode(bytes));
    const start = `_delta_log/${String(version).padStart(20, "0")}.checkpoint.`;
    // A late hint of long ago may point at one that the log's cleanup has removed since: readers do without it.
    const isOld = this.kind !== undefined && !this.disk.paths("_delta_log/").includes(`${start.slice(0, -11)}json`);
    if (!isOld && !this.disk.paths("_delta_log/").some((path) => path.startsWith(start))) {
      this.violations.push(`_last_checkpoint points at version ${version}, which has no checkpoint`);
    }
  }
}

/** A few digits that stand for bytes in a trace. */
export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 12);
}
