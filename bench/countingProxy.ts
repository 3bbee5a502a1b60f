import http from "node:http";
import type net from "node:net";
import type { Tally } from "./tally.js";

/** A proxy in front of a server that counts what passes. */
export interface CountingProxy {
  readonly endpoint: string;
  /** What has passed since the last call. Bytes are those of the bodies. */
  take(): Tally;
  close(): Promise<void>;
}

/** Starts one on loopback. It passes the Host header on, so that signatures hold. */
export async function startCountingProxy(upstream: string): Promise<CountingProxy> {
  let requests: Record<string, number> = {};
  let [bytesRead, bytesWritten] = [0, 0];
  const server = http.createServer((request, response) => {
    const kind = kindOf(request.method ?? "", new URL(request.url ?? "", upstream));
    requests[kind] = (requests[kind] ?? 0) + 1;
    request.on("data", (chunk: Buffer) => {
      bytesWritten += chunk.length;
    });
    const onward = http.request(
      new URL(request.url ?? "", upstream),
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.on("data", (chunk: Buffer) => {
          bytesRead += chunk.length;
        });
        answer.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    take() {
      const tally = { requests, bytesRead, bytesWritten };
      requests = {};
      [bytesRead, bytesWritten] = [0, 0];
      return tally;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The operation's name, as a bill lists it. */
function kindOf(method: string, url: URL): string {
  if (method === "GET" && url.searchParams.has("list-type")) return "LIST";
  return method;
}
