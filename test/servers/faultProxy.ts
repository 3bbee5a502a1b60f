import http, { type OutgoingHttpHeaders } from "node:http";
import type net from "node:net";
import { runtime } from "#src/runtime.js";

/** What goes wrong with a request. "After the effect" means that the server has carried it out. */
export type Fault =
  /** The connection ends without an answer, after the effect. */
  | { readonly kind: "drop-answer" }
  /** Status and S3 error code instead of the answer, after the effect. */
  | { readonly kind: "replace-answer"; readonly status: number; readonly code: string }
  /** Status and S3 error code; the server never sees the request. */
  | { readonly kind: "refuse"; readonly status: number; readonly code: string }
  /** The connection ends; the server never sees the request. */
  | { readonly kind: "reset" }
  /** The server gets half of the request's body and then the end of the connection. */
  | { readonly kind: "cut-request" }
  /** The caller gets the answer's head and half of its body. */
  | { readonly kind: "cut-answer" }
  /** The request arrives, and the answer comes back, unharmed but late. */
  | { readonly kind: "delay"; readonly ms: number }
  /** The request arrives, unharmed, once this has come to pass. */
  | { readonly kind: "hold"; readonly until: Promise<unknown> }
  /** The request arrives twice, and the second one's answer comes back. */
  | { readonly kind: "twice" }
  /** The answer comes back, and the request arrives once more, so much later. */
  | { readonly kind: "again"; readonly ms: number }
  /** No answer ever comes, and the server never sees the request. */
  | { readonly kind: "silence" }
  /** No answer ever comes, after the effect. */
  | { readonly kind: "swallow-answer" }
  /** An answer of somebody else's; the server never sees the request. */
  | { readonly kind: "answer"; readonly status: number; readonly headers: OutgoingHttpHeaders; readonly body: string }
  /** The server's answer with something changed; `content-length` is made to fit. */
  | { readonly kind: "alter"; readonly change: (answer: AlteredAnswer) => AlteredAnswer };

/** An answer on its way back. Names of headers are in lower case. */
export interface AlteredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Which requests a fault hits. */
export interface FaultRule {
  /** All methods where it's left out. */
  readonly method?: string;
  /** Matched against the decoded path `/bucket/key` with the query. All where it's left out. */
  readonly target?: RegExp;
  /** So many matching requests go through unharmed first. Default 0. */
  readonly after?: number;
  /** So many are hit then. Default 1. */
  readonly times?: number;
  readonly fault: Fault;
  /** Called for each request that is hit. */
  readonly onHit?: () => void;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Each request that came, as "METHOD /bucket/key?query". */
  readonly requests: string[];
  /** The headers of those requests. */
  readonly headers: http.IncomingHttpHeaders[];
  /** How many requests were under way at once, at most. */
  readonly peak: () => number;
  /** Connections that are open now. */
  readonly sockets: () => number;
  add(rule: FaultRule): void;
  /** Removes all rules and forgets the requests. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of an S3 server. It passes the Host header on, so that signatures hold. */
export async function startFaultProxy(endpoint: string): Promise<FaultProxy> {
  const upstream = new URL(endpoint);
  const requests: string[] = [];
  const headers: http.IncomingHttpHeaders[] = [];
  const sockets = new Set<net.Socket>();
  let rules: { rule: FaultRule; seen: number }[] = [];
  let active = 0;
  let peak = 0;

  const faultFor = (method: string, target: string): Fault | undefined => {
    let fault: Fault | undefined;
    for (const entry of rules) {
      const { rule } = entry;
      if (rule.method !== undefined && rule.method !== method) continue;
      if (rule.target !== undefined && !rule.target.test(target)) continue;
      const nth = entry.seen++;
      const first = rule.after ?? 0;
      if (fault !== undefined || nth < first || nth >= first + (rule.times ?? 1)) continue;
      fault = rule.fault;
      rule.onHit?.();
    }
    return fault;
  };

  const server = http.createServer(async (request, response) => {
    peak = Math.max(peak, ++active);
    response.on("close", () => active--);
    const method = request.method ?? "";
    const target = decodeURIComponent(request.url ?? "");
    requests.push(`${method} ${target}`);
    headers.push(request.headers);
    const fault = faultFor(method, target);
    try {
      const body = await bodyOf(request);
      await serve(upstream, request, body, response, fault);
    } catch {
      response.destroy();
    }
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    headers,
    peak: () => peak,
    sockets: () => sockets.size,
    add: (rule) => {
      rules.push({ rule, seen: 0 });
    },
    reset: () => {
      rules = [];
      requests.length = 0;
      headers.length = 0;
      peak = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function serve(
  upstream: URL,
  request: http.IncomingMessage,
  body: Buffer,
  response: http.ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  switch (fault?.kind) {
    case "silence":
      return;
    case "reset":
      response.destroy();
      return;
    case "refuse":
      sendError(response, fault.status, fault.code);
      return;
    case "answer":
      response.writeHead(fault.status, { ...fault.headers, "content-length": Buffer.byteLength(fault.body) });
      response.end(fault.body);
      return;
    case "cut-request":
      await forward(upstream, request, body, { cut: true }).catch(() => undefined);
      response.destroy();
      return;
  }
  if (fault?.kind === "delay") await runtime.sleep(fault.ms);
  if (fault?.kind === "hold") await fault.until;
  if (fault?.kind === "twice") await forward(upstream, request, body);
  const answer = await forward(upstream, request, body);
  switch (fault?.kind) {
    case "again":
      runtime.later(fault.ms, () => void forward(upstream, request, body).catch(() => undefined));
      break;
    case "swallow-answer":
      return;
    case "drop-answer":
      response.destroy();
      return;
    case "alter": {
      const pairs = Array.from({ length: answer.headers.length / 2 }, (_, i) => answer.headers.slice(2 * i, 2 * i + 2));
      const headers = Object.fromEntries(pairs.map(([name = "", value = ""]) => [name.toLowerCase(), value]));
      const altered = fault.change({ status: answer.status, headers, body: answer.body });
      // The answer to a HEAD gives the length of a body that isn't sent.
      const length = request.method === "HEAD" ? {} : { "content-length": String(altered.body.length) };
      response.writeHead(altered.status, { ...altered.headers, ...length });
      response.end(altered.body);
      return;
    }
    case "replace-answer":
      sendError(response, fault.status, fault.code);
      return;
    case "cut-answer":
      response.writeHead(answer.status, answer.headers);
      response.write(answer.body.subarray(0, answer.body.length >> 1), () => response.destroy());
      return;
  }
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
}

function forward(
  upstream: URL,
  request: http.IncomingMessage,
  body: Buffer,
  options: { cut?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, url, rawHeaders } = request;
    const passed = http.request(
      { host: upstream.hostname, port: upstream.port, method, path: url, headers: rawHeaders, agent: false },
      (answer) => {
        bodyOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 502, headers: answer.rawHeaders, body: bytes }),
          reject,
        );
      },
    );
    passed.on("error", reject);
    if (options.cut) passed.write(body.subarray(0, body.length >> 1), () => passed.destroy());
    else passed.end(body);
  });
}

async function bodyOf(message: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sendError(response: http.ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made by the test</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "content-length": Buffer.byteLength(body) });
  response.end(body);
}
