import { DeltaError } from "../errors.js";

/** Keys of an S3 account. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials only. */
  readonly sessionToken?: string;
  /** When temporary credentials end; a function that gave them is called again before. */
  readonly expiration?: Date;
}

/**
 * How to reach S3, or a server that speaks its protocol. Everything is optional: without options the usual environment
 * variables, profile files and instance roles of the AWS SDK decide.
 *
 * @example
 * Table.open("s3://lake/events", { s3: { endpoint: "http://127.0.0.1:9000", credentials: { accessKeyId, secretAccessKey } } });
 */
export interface S3Options {
  /**
   * The server's address with `http:` or `https:`. Default: `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`, else AWS
   * itself. The server must honour `If-None-Match: *` on `PutObject`, atomically: commits rest on it.
   */
  readonly endpoint?: string;
  /** Default: what the SDK finds (`AWS_REGION`, the profile); `us-east-1` where an endpoint is given and nothing is found. */
  readonly region?: string;
  /**
   * Keys, or a function that gives them and is asked anew before they expire. Default: the SDK's chain (environment, profile,
   * SSO, container and instance roles). They never appear in messages or errors.
   */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true where an endpoint is given. */
  readonly forcePathStyle?: boolean;
  /** At most so many requests run at once for one store; others wait their turn. Default 32. */
  readonly maxConcurrentRequests?: number;
  /** After so long without a byte from the server a request counts as failed, and is repeated where that is safe. Default 30,000. */
  readonly timeoutMs?: number;
}

/** Where a table lies on S3, and what of the options and the environment reaches it. */
export interface S3Location {
  readonly url: string;
  readonly bucket: string;
  /** `""`, or ends in a slash. */
  readonly prefix: string;
}

const S3_URL = /^s3[an]?:\/\/([^/]*)(?:\/(.*))?$/is;

/**
 * Takes `s3://bucket/prefix` apart, `s3a:` and `s3n:` too. The prefix is a key as it is, without percent-decoding.
 * Throws `DELTA_UNSUPPORTED_URL`; what could be a password in the URL isn't repeated.
 */
export function parseS3Url(url: string): S3Location {
  const [, bucket = "", rest = ""] = S3_URL.exec(url) ?? [];
  if (bucket === "" || bucket.includes("@") || bucket.includes(":")) {
    throw new DeltaError(
      "DELTA_UNSUPPORTED_URL",
      "An S3 location is s3://bucket/prefix; keys go into the s3.credentials option or the environment, a port into s3.endpoint.",
    );
  }
  const prefix = rest.replace(/\/+$/, "");
  const scheme = url.slice(0, url.indexOf(":"));
  return {
    url: prefix === "" ? `${scheme}://${bucket}` : `${scheme}://${bucket}/${prefix}`,
    bucket,
    prefix: prefix === "" ? "" : `${prefix}/`,
  };
}

/** The endpoint in force, checked. Throws `DELTA_INVALID_ARGUMENT`. */
export function endpointOf(options: S3Options): string | undefined {
  const endpoint = options.endpoint ?? (process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || undefined);
  if (endpoint === undefined) return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new DeltaError(
      "DELTA_INVALID_ARGUMENT",
      "The S3 endpoint must be an http: or https: address without a user in it, such as http://127.0.0.1:9000.",
      { option: "s3.endpoint" },
    );
  }
  return endpoint;
}

/** A whole number of at least 1, or the default. Throws `DELTA_INVALID_ARGUMENT`. */
export function positive(value: number | undefined, option: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `${option} must be a whole number of at least 1, not ${value}.`, {
      option,
      value,
    });
  }
  return value;
}
