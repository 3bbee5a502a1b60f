// npm run bench:s3: what calls ask of S3, in requests and bytes, from a real server behind a counting proxy; writes bench/S3.md.
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type S3Options, Table } from "delta-table";
import { installPython } from "../test/interop/environment.js";
import { startS3Server } from "../test/servers/s3Server.js";
import { versitygw } from "../test/servers/versitygw.js";
import { startCountingProxy } from "./countingProxy.js";
import { project, pythonScript } from "./folders.js";
import { capture } from "./process.js";
import { type BenchRow, rowsFrom } from "./rows.js";
import type { Tally } from "./tally.js";
import { makeElevenFiles, VERBS } from "./verbs.js";

const { values: given } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const MILLION = given.quick ? 10_000 : 1_000_000;
const APPENDS = given.quick ? 20 : 100;

const HEAD = "| call | requests | bytes read | bytes written |\n| --- | --- | ---: | ---: |";

const kind = await versitygw();
if (kind === undefined) throw new Error("The S3 server is built with Go: install the program go.");
const python = await installPython();
const server = await startS3Server(kind);
const proxy = await startCountingProxy(server.endpoint);
const counted: S3Options = { ...server.options, endpoint: proxy.endpoint };
const location = () => `s3://${server.bucket}/${randomUUID()}`;
const at = (url: string, s3: S3Options) => Table.open<BenchRow>(url, { s3 });

try {
  const verbs = [];
  for (const verb of VERBS) {
    const url = location();
    {
      await using before = at(url, server.options);
      await makeElevenFiles(before, verb);
    }
    verbs.push(row(verb.name, await tallied(url, verb.call)));
  }
  const text = [
    "# What calls ask of S3",
    "",
    "Made by `npm run bench:s3`; don't edit. A real S3 server behind a proxy that counts; bytes are those of the bodies.",
    "",
    "## Each verb",
    "",
    "On a new handle, on a table of eleven files of 1,000 rows whose log has a checkpoint.",
    "",
    HEAD,
    ...verbs,
    "",
    "## In the long run",
    "",
    HEAD,
    ...(await inTheLongRun()),
    "",
    "## Beside delta-rs",
    "",
    "One process each, on the table of eleven files.",
    "",
    HEAD,
    ...(await besideDeltaRs()),
    "",
  ].join("\n");
  console.log(text);
  if (!given.quick) await writeFile(join(project, "bench", "S3.md"), text);
} finally {
  await proxy.close();
  await server.stop();
}

async function tallied(url: string, call: (table: Table<BenchRow>) => Promise<unknown>): Promise<Tally> {
  proxy.take();
  {
    await using table = at(url, counted);
    await call(table);
  }
  return proxy.take();
}

async function inTheLongRun(): Promise<string[]> {
  const appended = await tallied(location(), async (table) => {
    for (let n = 0; n < APPENDS; n++) await table.append(rowsFrom(n * 100, 100));
  });
  const url = location();
  const written = await tallied(url, (table) => table.append(rowsFrom(0, MILLION)));
  const read = await tallied(url, (table) => table.toArrow());
  return [
    row(`an append, of ${APPENDS} on one handle`, divided(appended, APPENDS)),
    row(`${MILLION.toLocaleString("en")} rows x 6 columns, appended to a new table`, written),
    row(`${MILLION.toLocaleString("en")} rows x 6 columns, read`, read),
  ];
}

async function besideDeltaRs(): Promise<string[]> {
  const url = location();
  {
    await using before = at(url, server.options);
    await makeElevenFiles(before, VERBS[0]!);
  }
  const environment = { ...server.env, AWS_ENDPOINT_URL: proxy.endpoint, AWS_ALLOW_HTTP: "true" };
  Object.assign(process.env, environment);
  const lines: string[] = [];
  for (const verb of ["open", "read", "append"]) {
    proxy.take();
    await capture(python, [pythonScript("s3_verb"), url, verb]);
    lines.push(row(`${verb}, delta-rs`, proxy.take()));
    const ours = { open: "open", read: "read all", append: "append of 100 rows" }[verb];
    lines.push(row(`${verb}, delta-table`, await tallied(url, VERBS.find(({ name }) => name === ours)!.call)));
  }
  return lines;
}

function divided({ requests, bytesRead, bytesWritten }: Tally, by: number): Tally {
  const each = Object.entries(requests).map(([name, count]) => [name, count / by] as const);
  return { requests: Object.fromEntries(each), bytesRead: bytesRead / by, bytesWritten: bytesWritten / by };
}

function row(name: string, { requests, bytesRead, bytesWritten }: Tally): string {
  const asked = Object.entries(requests)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${Number(count.toFixed(2))} ${kind}`);
  const bytes = (value: number) => Math.round(value).toLocaleString("en");
  return `| ${name} | ${asked.join(", ")} | ${bytes(bytesRead)} | ${bytes(bytesWritten)} |`;
}
