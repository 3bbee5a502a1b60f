/** What else a URL carries than its place: a user with a password, and behind a question mark mostly a signature. */
const USER = /(\/\/)[^/?#\s]*@/g;
const QUERY = /[?#].*$/s;

/** Names that stand before secrets in requests, and what stands behind them. */
const NAMED =
  /\b((?:x-amz-)?(?:signature|credential|security-token)|sig|(?:aws)?access-?key-?id|secret\w*|session-?token|password|token|authorization)(["']?\s*[=:]\s*["']?)(?:(?:bearer|basic)\s+)?[^\s"'&,;<>]+/gi;

/** Longer runs of base64 than these are keys, signatures or tokens, and nothing that a person could make use of. */
const LONG_RUN = /[A-Za-z0-9+/=_-]{32,}/g;

/** A URL for messages: without user, password, query and fragment. */
export function urlWithoutSecrets(url: string): string {
  return url.replace(QUERY, "").replace(USER, "$1");
}

/** A server's or library's text for messages, without what may be a credential in it: some echo what they were sent. */
export function textWithoutSecrets(text: string): string {
  return text.replace(USER, "$1").replace(NAMED, "$1$2…").replace(LONG_RUN, "…");
}
