/**
 * A point in time with microseconds: a `Date` (in milliseconds) and the three digits below. Rows read from a table hold
 * one where a timestamp has such digits, and a plain `Date` where it has none.
 */
export class Timestamp extends Date {
  /** Microseconds below the millisecond, 0 to 999. They count forward also before 1970. */
  readonly microsecond: number;

  /** `ms` is milliseconds since the epoch, or a date. Throws a RangeError where `microsecond` isn't 0 to 999. */
  constructor(ms: number | Date, microsecond = 0) {
    super(typeof ms === "number" ? ms : ms.getTime());
    if (!Number.isInteger(microsecond) || microsecond < 0 || microsecond > 999) {
      throw new RangeError(`microsecond must be a whole number from 0 to 999, not ${microsecond}`);
    }
    this.microsecond = microsecond;
  }

  /** The timestamp of microseconds since the epoch. */
  static fromMicroseconds(micros: bigint): Timestamp {
    const below = ((micros % 1000n) + 1000n) % 1000n;
    return new Timestamp(Number((micros - below) / 1000n), Number(below));
  }

  /** Microseconds since the epoch. Throws a RangeError for an invalid date. */
  toMicroseconds(): bigint {
    return BigInt(this.getTime()) * 1000n + BigInt(this.microsecond);
  }

  /** ISO 8601 in UTC with six digits behind the second. */
  override toISOString(): string {
    return `${super.toISOString().slice(0, -1)}${String(this.microsecond).padStart(3, "0")}Z`;
  }
}
