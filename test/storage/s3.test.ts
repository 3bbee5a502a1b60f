import { afterAll, beforeAll, describe } from "vitest";
import { s3Store } from "#src/storage/s3.js";
import { describeStore } from "../contract/store.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`S3 on ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await choice.start();
    });
    afterAll(async () => {
      await server?.stop();
    });

    describeStore(`S3 on ${choice.name}`, async () => {
      const location = `s3://${server.bucket}/some prefix/tàble`;
      return { store: s3Store(location, server.options), location, options: { s3: server.options } };
    });
  });
}
