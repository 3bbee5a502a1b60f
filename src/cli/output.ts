import type { Writable } from "node:stream";

/** Nobody reads the output any more (`| head`): the command ends quietly. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** A standard stream that is written to at the speed of its reader. */
export class Output {
  readonly #stream: Terminal;
  #failure: Error | undefined;

  constructor(stream: Terminal) {
    this.#stream = stream;
    stream.on("error", (error) => {
      this.#failure ??= outputError(error);
    });
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Columns of the terminal; without one what COLUMNS says, or any number. */
  get width(): number {
    const { columns } = this.#stream;
    if (this.isTerminal && columns !== undefined && columns > 0) return columns;
    const asked = Number(process.env.COLUMNS);
    return asked > 0 ? asked : Number.POSITIVE_INFINITY;
  }

  /** Resolves when the bytes have left this process. Throws {@link OutputClosed} where nobody reads them. */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (chunk.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(chunk, (error) => (error ? reject(outputError(error)) : resolve()));
    });
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }
}

function outputError(error: NodeJS.ErrnoException): Error {
  return error.code === "EPIPE" ? new OutputClosed() : error;
}
