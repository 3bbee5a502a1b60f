import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtime } from "#src/runtime.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";
import { failed, objects, ok } from "./command.js";

for (const choice of await s3Servers()) {
  describe.skipIf(choice.skip)(`delta-table on S3, ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await choice.start();
    });
    afterAll(() => server?.stop());

    const reach = () => ["--endpoint", server.endpoint, "--region", "us-east-1"];
    const keys = (secret = server.credentials.secretAccessKey) => ({
      env: { AWS_ACCESS_KEY_ID: server.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: secret },
    });

    it("reaches a server by options, with keys from the environment", async () => {
      const T = `s3://${server.bucket}/${runtime.randomUUID()}`;
      await ok(["append", T, ...reach()], '{"id":1}\n', keys());
      expect(objects(await ok(["read", T, ...reach()], "", keys()))).toEqual([{ id: 1 }]);
    });

    // The other server takes any key.
    it.skipIf(choice.name !== "versitygw")("tells that a key is wrong, not the key", async () => {
      const error = await failed(1, ["read", `s3://${server.bucket}/t`, ...reach()], "", keys("not-the-secret"));
      expect(error.code).toBe("DELTA_ACCESS_DENIED");
      expect(JSON.stringify(error)).not.toContain("not-the-secret");
    });
  });
}
