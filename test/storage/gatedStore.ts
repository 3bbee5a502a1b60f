import type { ObjectStore, PutOutcome } from "#src/storage/store.js";

/** A store whose commits wait, once it is shut, until it is opened. */
export class Gate {
  readonly store: ObjectStore;
  #isShut = false;
  #open: () => void = () => undefined;
  #reached: () => void = () => undefined;
  #opened: Promise<void> = Promise.resolve();

  constructor(inner: ObjectStore) {
    this.store = new Proxy(inner, {
      get: (target, name) => {
        if (name === "putIfAbsent") return this.#putIfAbsent.bind(this, target);
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  }

  /** Resolves when a commit has come to the gate. */
  shut(): Promise<void> {
    this.#isShut = true;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  open(): void {
    this.#isShut = false;
    this.#open();
  }

  async #putIfAbsent(target: ObjectStore, ...args: Parameters<ObjectStore["putIfAbsent"]>): Promise<PutOutcome> {
    if (this.#isShut) {
      await args[3];
      this.#reached();
      await this.#opened;
    }
    return target.putIfAbsent(...args);
  }
}
