import { DeltaError, type ErrorCode } from "../errors.js";
import { textWithoutSecrets } from "./secrets.js";

/**
 * What a failed request says.
 *
 * - `missing`: there is no such object. `no-bucket`: nor a bucket.
 * - `exists`: the condition `If-None-Match: *` failed. `range`: the range begins after the object's end.
 * - `denied`: credentials are missing, wrong or not enough. `expired`: they were good once.
 * - `skewed`: this machine's clock is wrong. The SDK has learnt the server's from this answer; the next request is right.
 * - `moved`: the bucket is in another region.
 * - `nameless`: 404 and no more. The answer to a HEAD has no room for more; any other of S3's own would say what is missing.
 * - `foreign`: somebody between here and the server answered in its place.
 * - `transient`: the server or the way to it failed; the request may or may not have had its effect.
 * - `unsupported`: the server lacks the operation. `refused`: it took the request for wrong.
 * - `local`: no request was made (configuration, certificate).
 */
export type S3Fault =
  | "missing"
  | "no-bucket"
  | "exists"
  | "range"
  | "denied"
  | "expired"
  | "skewed"
  | "moved"
  | "nameless"
  | "foreign"
  | "transient"
  | "unsupported"
  | "refused"
  | "local";

/** A body that ended early, or answered another range than asked. */
export class IncompleteBody extends Error {
  override readonly name = "IncompleteBody";
}

/** An answer that says "success" and lacks what S3's own always has: a sign-in page, an empty answer. */
export class ForeignAnswer extends Error {
  override readonly name = "ForeignAnswer";
}

const FAULT_BY_NAME: Readonly<Record<string, S3Fault>> = {
  NoSuchKey: "missing",
  NoSuchUpload: "missing",
  NotFound: "nameless",
  NoSuchBucket: "no-bucket",
  PreconditionFailed: "exists",
  InvalidRange: "range",
  AccessDenied: "denied",
  ExpiredToken: "expired",
  ExpiredTokenException: "expired",
  TokenRefreshRequired: "expired",
  InvalidToken: "denied",
  InvalidAccessKeyId: "denied",
  SignatureDoesNotMatch: "denied",
  CredentialsProviderError: "denied",
  TokenProviderError: "denied",
  ConditionalRequestConflict: "transient",
  OperationAborted: "transient",
  RequestTimeout: "transient",
  RequestTimeTooSkewed: "skewed",
  PermanentRedirect: "moved",
  TemporaryRedirect: "moved",
  AuthorizationHeaderMalformed: "moved",
  ForeignAnswer: "foreign",
  BadDigest: "transient",
  IncompleteBody: "transient",
  SlowDown: "transient",
  TimeoutError: "transient",
  NotImplemented: "unsupported",
};

/** What the SDK calls an error whose answer names none. */
const NAMELESS = new Set(["Unknown", "UnknownError", "BadRequest", "400"]);

const NETWORK = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  // No descriptor or buffer left for a socket.
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/** The parts of an SDK error that say what happened, without its request: that holds signatures and session tokens. */
interface S3Failure {
  readonly name: string;
  readonly system: string | undefined;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly bucketRegion: string | undefined;
}

function failureOf(error: unknown): S3Failure {
  const e = (error instanceof Error ? error : {}) as {
    name?: string;
    code?: string;
    $metadata?: { httpStatusCode?: number; requestId?: string };
    $response?: { statusCode?: number; headers?: Record<string, string> };
  };
  return {
    name: wordOf(e.name) ?? "Error",
    system: wordOf(e.code),
    status: e.$metadata?.httpStatusCode ?? e.$response?.statusCode,
    requestId: wordOf(e.$metadata?.requestId),
    bucketRegion: wordOf(e.$response?.headers?.["x-amz-bucket-region"]),
  };
}

/** A name or number that the server chose, where it is one: it may send anything back, also what it was sent. */
function wordOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[\w.+/=-]{1,80}$/.test(value) ? value : undefined;
}

/** Judges a failed request by the name of its error, then by its status, then by the network's code. */
export function faultOf(error: unknown): S3Fault {
  const { name, system, status } = failureOf(error);
  const byName = Object.hasOwn(FAULT_BY_NAME, name) ? FAULT_BY_NAME[name] : undefined;
  if (byName) return byName;
  if (system !== undefined && NETWORK.has(system)) return "transient";
  if (status === undefined) return "local";
  // A success that can't be understood was cut on its way.
  if (status < 300 || status === 408 || status === 429) return "transient";
  if (status === 401 || status === 403) return "denied";
  // The answer to a HEAD has no body that names the error; an expired or wrong token gives 400.
  if (status === 400 && NAMELESS.has(name)) return "expired";
  if (status === 301 || status === 307 || status === 308) return "moved";
  if (status < 400) return "foreign";
  if (status === 404) return NAMELESS.has(name) ? "nameless" : "refused";
  if (status === 412) return "exists";
  if (status === 416) return "range";
  if (status === 501) return "unsupported";
  return status >= 500 ? "transient" : "refused";
}

/** Whether the same request may do better soon. It may have had its effect. */
export function mayPass(fault: S3Fault): boolean {
  return fault === "transient" || fault === "skewed" || fault === "nameless" || fault === "foreign";
}

const CODE: Readonly<Record<S3Fault, ErrorCode>> = {
  missing: "DELTA_FILE_NOT_FOUND",
  "no-bucket": "DELTA_STORAGE_FAILED",
  exists: "DELTA_STORAGE_FAILED",
  range: "DELTA_STORAGE_FAILED",
  denied: "DELTA_ACCESS_DENIED",
  expired: "DELTA_ACCESS_DENIED",
  skewed: "DELTA_ACCESS_DENIED",
  moved: "DELTA_STORAGE_FAILED",
  nameless: "DELTA_STORAGE_UNAVAILABLE",
  foreign: "DELTA_STORAGE_UNAVAILABLE",
  transient: "DELTA_STORAGE_UNAVAILABLE",
  unsupported: "DELTA_STORAGE_FAILED",
  refused: "DELTA_STORAGE_FAILED",
  local: "DELTA_STORAGE_FAILED",
};

const ADVICE: Readonly<Record<S3Fault, string>> = {
  missing: "there is no such object",
  "no-bucket": "the bucket doesn't exist. Create it, or check the name and the endpoint",
  exists: "the server refused a condition that wasn't set",
  range: "the server refused the range of bytes",
  denied: "access was denied. Check the credentials and their rights on the bucket",
  expired: "the credentials have expired. Get new ones and call again",
  skewed: "the server and this machine don't agree on the time. Set this machine's clock",
  moved: "the bucket is in another region. Set s3.region or AWS_REGION",
  nameless: "the answer, 404 without a reason, isn't S3's. Check the endpoint, and what is between here and it",
  foreign:
    "the answer isn't S3's. Check the endpoint, and whether a proxy or a network that wants a sign-in answers in its place",
  transient: "the server failed or couldn't be reached, also when asked again. Check the endpoint and try later",
  unsupported:
    "the server lacks this operation. A table needs one that honours If-None-Match on PutObject (AWS S3, MinIO, Ceph, R2 …)",
  refused: "the server refused the request. Check the bucket's name, the region and the endpoint",
  local: "no request could be made. Check the region, the endpoint and its certificate",
};

/** The error of a failed request. `doing` is a verb; `at` the object's URL. */
export function s3Error(error: unknown, doing: string, at: string): DeltaError {
  if (error instanceof DeltaError) return error;
  const fault = faultOf(error);
  const failure = failureOf(error);
  const facts = [
    failure.system ?? failure.name,
    failure.status === undefined ? "" : `HTTP ${failure.status}`,
    failure.bucketRegion === undefined || fault !== "moved" ? "" : `its region is ${failure.bucketRegion}`,
    failure.requestId === undefined ? "" : `request ${failure.requestId}`,
  ].filter((fact) => fact !== "");
  return new DeltaError(
    CODE[fault],
    `Cannot ${doing} ${at}: ${ADVICE[fault]} (${facts.join(", ")}).`,
    { path: at, ...failure },
    causeOf(error, failure),
  );
}

/** The SDK's error object carries the request and, for a bad signature, what was signed; only name and text go on. */
function causeOf(error: unknown, failure: S3Failure): Error {
  const isTold = error instanceof Error && failure.name !== "SignatureDoesNotMatch";
  const cause = new Error(isTold ? textWithoutSecrets(error.message) : "");
  cause.name = failure.name;
  return cause;
}
