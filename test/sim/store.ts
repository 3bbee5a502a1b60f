import { DeltaError } from "#src/errors.js";
import type { ByteRange, ObjectMeta, ObjectStore, PutOutcome, RangedContent } from "#src/storage/store.js";
import type { Landing } from "./disk.js";
import { type Course, type FaultPoint, pointOf } from "./faults.js";
import type { Life } from "./scheduler.js";
import { digest, type World } from "./world.js";

/** A call on its way: what it does when it arrives, and when it arrives again. */
interface Request<T> {
  readonly method: string;
  readonly path: string;
  /** What the trace tells of it beside its path. */
  readonly detail?: string;
  readonly effect: (course: Course) => Effect<T>;
  /** How a lost answer shows; an error where it's left out. */
  readonly lost?: () => T;
  readonly exists?: () => T;
  /** The listing when it ended, as `first` is when it began: what is new is there or not, as `isSeen` says. */
  readonly blurred?: (first: T, isSeen: (index: number) => boolean) => T;
}

interface Effect<T> {
  readonly value: T;
  readonly landing?: Landing;
}

/** An object store as one life of a client sees it: every call is planned by the scheduler and may go wrong. */
export class SimulatedStore implements ObjectStore {
  readonly url = "sim:table";
  readonly #world: World;
  readonly #life: Life;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  get(path: string, range?: ByteRange): Promise<Uint8Array> {
    const detail = range && `${range.start}-${range.end}`;
    return this.#call({
      method: "get",
      path,
      detail,
      effect: () => {
        const bytes = this.#world.disk.get(path);
        if (bytes === undefined) throw new DeltaError("DELTA_FILE_NOT_FOUND", `${path} isn't there.`, { path });
        return { value: bytes.slice(range?.start, range?.end) };
      },
    });
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    return this.#write("put", path, new Uint8Array(bytes));
  }

  async putFrom(path: string, { sizeBytes, read }: RangedContent): Promise<void> {
    return this.put(path, await read({ start: 0, end: sizeBytes }));
  }

  putNew(path: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.#write("putNew", path, new Uint8Array(Buffer.concat(parts)));
  }

  async putIfAbsent(
    path: string,
    given: Uint8Array,
    _signal?: AbortSignal,
    after?: Promise<unknown>,
  ): Promise<PutOutcome> {
    const bytes = new Uint8Array(given);
    await after;
    return this.#call<PutOutcome>({
      method: "putIfAbsent",
      path,
      detail: digest(bytes),
      effect: () => {
        if (this.#world.disk.head(path) !== undefined) return { value: "exists" };
        return { value: "created", landing: this.#world.land(path, bytes) };
      },
      lost: () => "unknown",
      exists: () => "exists",
    });
  }

  putHint(path: string, given: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(given);
    return this.#call({
      method: "putHint",
      path,
      detail: `${bytes.length} ${digest(bytes)}`,
      effect: ({ isPartial }) => {
        if (this.#world.disk.head(path) !== undefined) return { value: undefined };
        const whole = isPartial ? bytes.subarray(0, bytes.length >> 1) : bytes;
        return { value: undefined, landing: this.#world.land(path, whole) };
      },
    });
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<ObjectMeta> {
    yield* await this.#call<ObjectMeta[]>({
      method: "list",
      path: prefix,
      detail: startAfter,
      effect: () => ({ value: this.#metas(prefix, startAfter) }),
      blurred: (first, isSeen) => {
        const paths = blur(
          first.map(({ path }) => path),
          this.#world.disk.paths(prefix, startAfter),
          isSeen,
        );
        return this.#metas(prefix, startAfter).filter(({ path }) => paths.includes(path));
      },
    });
  }

  listNames(prefix: string, startAfter?: string): Promise<string[]> {
    const names = () => this.#world.disk.paths(prefix, startAfter).filter((path) => !path.includes("/", prefix.length));
    return this.#call<string[]>({
      method: "listNames",
      path: prefix,
      detail: startAfter,
      effect: () => ({ value: names() }),
      blurred: (first, isSeen) => blur(first, names(), isSeen),
    });
  }

  head(path: string): Promise<ObjectMeta | undefined> {
    return this.#call({ method: "head", path, effect: () => ({ value: this.#world.disk.head(path) }) });
  }

  delete(path: string): Promise<void> {
    return this.#call({
      method: "delete",
      path,
      effect: () => ({ value: undefined, landing: this.#world.land(path, undefined) }),
    });
  }

  async settle(prefix: string): Promise<void> {
    this.#world.disk.settle(prefix);
  }

  async sweep(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #metas(prefix: string, startAfter?: string): ObjectMeta[] {
    return this.#world.disk.paths(prefix, startAfter).map((path) => this.#world.disk.head(path)!);
  }

  #write(method: string, path: string, bytes: Uint8Array): Promise<void> {
    return this.#call({
      method,
      path,
      detail: `${bytes.length} ${digest(bytes)}`,
      effect: ({ isPartial }) => {
        const whole = isPartial ? bytes.subarray(0, bytes.length >> 1) : bytes;
        return { value: undefined, landing: this.#world.land(path, whole) };
      },
    });
  }

  #call<T>(request: Request<T>): Promise<T> {
    const { method, path, detail } = request;
    const point = pointOf(method, path);
    const life = this.#life;
    if (life.isDead) this.#world.violations.push(`a dead client called ${method} ${path}`);
    const { course, kind, size } = this.#world.courseOf(life, point);
    const call = this.#world.note(
      life,
      [`${method} ${path}`, detail, kind && `${kind} ${size}`].filter(Boolean).join(" "),
    );
    return new Promise<T>((resolve, reject) => {
      this.#begin(request, { course, size, call, point }, resolve, reject);
    });
  }

  #begin<T>(
    request: Request<T>,
    { course, size, call, point }: { course: Course; size: number; call: number; point: FaultPoint },
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const { scheduler } = this.#world;
    const life = this.#life;
    const answer = (delayMs: number, give: () => string, landing?: Landing) => {
      scheduler.after(this.#travelMs() + delayMs, life, "step", () => {
        // What was answered, however badly, was there to stay; only requests under way are lost in a power cut.
        if (landing !== undefined) this.#world.disk.flush(landing);
        const text = give();
        this.#world.note(life, `  -> ${call} ${text}`);
      });
    };
    const succeed = (value: T) => () => {
      resolve(value);
      return textOf(value);
    };
    const fail = (error: unknown) => () => {
      reject(error);
      return error instanceof DeltaError ? error.code : String(error);
    };
    const arriveLate = () => {
      if (course.lateMs === undefined) return;
      scheduler.after(course.lateMs, life, "effect", () => {
        this.#world.note(life, `  late ${call}`);
        const { landing } = request.effect(course);
        if (landing !== undefined) this.#world.disk.flush(landing);
      });
    };
    const answered = (arrived: () => Effect<T>) => {
      let effect: Effect<T> | undefined;
      let failure: unknown;
      try {
        if (course.hasEffect) effect = arrived();
      } catch (error) {
        failure = error;
      }
      if (course.isPowerCut) {
        this.#world.cutPower(life, size);
        return;
      }
      if (course.isCrash) {
        this.#world.crash(life, size);
        return;
      }
      arriveLate();
      const delayMs = course.answerDelayMs ?? 0;
      if (course.answer === "refused") answer(delayMs, fail(refusal(point, size)), effect?.landing);
      else if (course.answer === "notWritten") answer(delayMs, fail(unavailable(request.path, { written: false })));
      else if (course.answer === "unflushed") answer(delayMs, fail(unflushed(request.path)));
      else if (course.answer === "lost") {
        // A store may give up with an error as well.
        const quietly = request.lost !== undefined && size % 3 !== 0;
        answer(delayMs, quietly ? succeed(request.lost!()) : fail(unavailable(request.path)), effect?.landing);
      } else if (failure !== undefined) answer(delayMs, fail(failure));
      else if (course.answer === "exists" && request.exists)
        answer(delayMs, succeed(request.exists()), effect?.landing);
      else answer(delayMs, succeed(effect!.value), effect!.landing);
    };

    scheduler.after(this.#travelMs() + (course.effectDelayMs ?? 0), life, "effect", () => {
      const { blurMs } = course;
      const { blurred } = request;
      if (blurMs === undefined || blurred === undefined) {
        answered(() => request.effect(course));
        return;
      }
      const first = request.effect(course).value;
      scheduler.after(blurMs, life, "effect", () => {
        answered(() => ({ value: blurred(first, (index) => ((size >> (index % 10)) & 1) === 1) }));
      });
    });
  }

  /** Between the client and storage, one way. */
  #travelMs(): number {
    const { latency } = this.#world;
    return latency === undefined ? 1 : 1 + Math.floor(latency.next() ** 3 * 40);
  }
}

/** What was there all the time, and of what came meanwhile that which was seen. */
function blur(first: readonly string[], last: readonly string[], isSeen: (index: number) => boolean): string[] {
  const before = new Set(first);
  let news = 0;
  return last.filter((path) => before.has(path) || isSeen(news++));
}

function unavailable(path: string, facts: { readonly written?: false } = {}): DeltaError {
  return new DeltaError("DELTA_STORAGE_UNAVAILABLE", `Storage doesn't answer for ${path}.`, { path, ...facts });
}

function unflushed(path: string): DeltaError {
  return new DeltaError("DELTA_COMMIT_OUTCOME_UNKNOWN", `${path} is there, but couldn't be flushed.`, { path });
}

function refusal(point: FaultPoint, size: number): DeltaError {
  const isWrite = point.startsWith("put");
  const code = refusalCodes(isWrite)[size % 2]!;
  return new DeltaError(code, "Storage refuses.", {});
}

/** The codes of a clear no. */
export function refusalCodes(
  isWrite: boolean,
): readonly ["DELTA_ACCESS_DENIED", "DELTA_DISK_FULL" | "DELTA_STORAGE_FAILED"] {
  return ["DELTA_ACCESS_DENIED", isWrite ? "DELTA_DISK_FULL" : "DELTA_STORAGE_FAILED"];
}

function textOf(value: unknown): string {
  if (value === undefined) return "ok";
  if (value instanceof Uint8Array) return `${value.length} ${digest(value)}`;
  if (Array.isArray(value)) return `${value.length} entries`;
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}
