import { FINDING_CODES, type FindingCode, type Severity } from "./findingCodes.js";

/** Something that `verify` found. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** The version whose commit, checkpoint or checksum it is about. */
  readonly version?: number;
  /** The file, relative to the table's root and not percent-encoded. */
  readonly path?: string;
  /** The column, parts joined by dots. */
  readonly column?: string;
  readonly message: string;
  /** The facts of the message as values. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a finding is about. */
export interface Place {
  readonly version?: number | undefined;
  readonly path?: string | undefined;
  readonly column?: string | undefined;
}

/** Findings of one code that are kept; the others are counted. */
const KEPT_PER_CODE = 20;
const ORDER: readonly Severity[] = ["error", "warning", "info"];

/** Collects findings in bounded memory: the first of each code, and how many there are of each. */
export class Findings {
  readonly #kept: Finding[] = [];
  readonly #counts = new Map<FindingCode, number>();

  add(code: FindingCode, message: string, place: Place, data: Readonly<Record<string, unknown>> = {}): void {
    const count = this.count(code) + 1;
    this.#counts.set(code, count);
    if (count > KEPT_PER_CODE) return;
    const known = Object.entries(place).filter(([, value]) => value !== undefined);
    const { severity } = FINDING_CODES[code];
    this.#kept.push({ code, severity, ...Object.fromEntries(known), message, data });
  }

  count(code: FindingCode): number {
    return this.#counts.get(code) ?? 0;
  }

  /** How many of a code would still be kept: no need to look for the facts of more. */
  room(code: FindingCode): number {
    return Math.max(0, KEPT_PER_CODE - this.count(code));
  }

  get hasErrors(): boolean {
    return [...this.#counts.keys()].some((code) => FINDING_CODES[code].severity === "error");
  }

  /** Those kept, errors first, each severity in the order found. */
  all(): Finding[] {
    return ORDER.flatMap((severity) => this.#kept.filter((finding) => finding.severity === severity));
  }

  /** How many there are of each code, those not kept among them. */
  counts(): Partial<Record<FindingCode, number>> {
    return Object.fromEntries(this.#counts);
  }
}
