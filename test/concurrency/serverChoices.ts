import type { S3ServerCommand } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";
import { SERVERS } from "./killableServer.js";

/** A server that tests want, or why they must do without. */
export interface ServerChoice {
  readonly name: string;
  readonly skip: string | undefined;
  readonly kind: S3ServerCommand | undefined;
}

/** As {@link s3Servers}, which installs them and says which are missing. */
export async function serverChoices(): Promise<ServerChoice[]> {
  const choices = await s3Servers();
  return Promise.all(
    choices.map(async ({ name, skip }) => ({
      name,
      skip,
      kind: skip === undefined ? await SERVERS[name as keyof typeof SERVERS]() : undefined,
    })),
  );
}
