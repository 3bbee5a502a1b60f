import { spawn } from "node:child_process";
import { once } from "node:events";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openStore } from "#src/storage/open.js";
import { s3Store } from "#src/storage/s3.js";
import { expectCode } from "../expectCode.js";
import type { S3Server } from "../servers/s3Server.js";
import { s3Servers } from "../servers/servers.js";

const SECRETS = {
  accessKeyId: "AKIDWRONGKEY",
  secretAccessKey: "open-sesame-secret",
  sessionToken: "session-sesame-token",
};

for (const choice of await s3Servers()) {
  const takesAny = choice.name === "ministack" ? " (skipped: ministack takes any credentials)" : "";
  describe.skipIf(choice.skip)(`reaching S3 on ${choice.name}${choice.skip ?? ""}`, () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await choice.start();
    });
    afterAll(async () => {
      await server?.stop();
    });
    beforeEach(() => {
      for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
      vi.stubEnv("HOME", "/nonexistent");
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    });
    afterEach(() => {
      vi.unstubAllEnvs();
    });

    it("works from the environment alone", async () => {
      for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
      await using store = openStore(`s3a://${server.bucket}/env`);
      expect(await store.putIfAbsent("a", Uint8Array.of(1))).toBe("created");
      await using same = openStore(`s3://${server.bucket}`, { s3: server.options });
      expect(await same.get("env/a")).toEqual(Uint8Array.of(1));
    });

    it("needs no region where there is an endpoint, and takes credentials from a function", async () => {
      const { endpoint, credentials, bucket } = server;
      let asked = 0;
      const provider = async () => {
        asked++;
        return credentials;
      };
      await using store = s3Store(`s3://${bucket}/fn`, { endpoint, credentials: provider });
      await store.put("a", Uint8Array.of(1));
      expect(await store.get("a")).toEqual(Uint8Array.of(1));
      expect(asked).toBe(1);
    });

    it("says that the bucket doesn't exist", async () => {
      await using store = s3Store("s3://no-such-bucket-here/t", server.options);
      for (const action of [
        () => store.put("a", Uint8Array.of(1)),
        () => store.putIfAbsent("a", Uint8Array.of(1)),
        () => store.get("a"),
        () => store.listNames(""),
      ]) {
        const error = await expectCode("DELTA_STORAGE_FAILED", action);
        expect(error.data.name).toBe("NoSuchBucket");
      }
    });

    it("says that there are no credentials, or no region", async () => {
      await using anonymous = s3Store(`s3://${server.bucket}/t`, { endpoint: server.endpoint });
      await expectCode("DELTA_ACCESS_DENIED", () => anonymous.get("a"));
      await expectCode("DELTA_ACCESS_DENIED", () => anonymous.putIfAbsent("a", Uint8Array.of(1)));
      await using nowhere = s3Store(`s3://${server.bucket}/t`, { credentials: server.credentials });
      await expectCode("DELTA_STORAGE_FAILED", () => nowhere.get("a"));
      await expectCode("DELTA_STORAGE_FAILED", () => nowhere.putIfAbsent("a", Uint8Array.of(1)));
    });

    it.skipIf(takesAny)(`is denied with wrong credentials, which no error repeats${takesAny}`, async () => {
      for (const credentials of [SECRETS, { ...SECRETS, accessKeyId: server.credentials.accessKeyId }]) {
        await using store = s3Store(`s3://${server.bucket}/t`, { ...server.options, credentials });
        for (const action of [
          () => store.get("a"),
          () => store.put("a", Uint8Array.of(1)),
          () => store.putIfAbsent("a", Uint8Array.of(1)),
          () => store.head("a"),
          () => store.listNames(""),
          () => store.delete("a"),
        ]) {
          const error = await expectCode("DELTA_ACCESS_DENIED", action);
          const shown = inspect(error, { depth: 20, showHidden: true }) + String(error.stack);
          for (const secret of Object.values(SECRETS)) expect(shown).not.toContain(secret);
        }
      }
    });

    it("lets the process end without closing the store", async () => {
      const script = `
        const { openStore } = await import("#src/storage/open.js");
        const store = openStore("s3://${server.bucket}/exit");
        await store.put("a", Uint8Array.of(1));
        console.log((await store.get("a")).length);`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, ...server.env },
        stdio: ["ignore", "pipe", "ignore"],
      });
      const exited = once(child, "exit");
      let printed = "";
      for await (const chunk of child.stdout) printed += chunk;
      expect(printed).toBe("1\n");
      expect((await exited)[0]).toBe(0);
    });
  });
}

it("reports a server that can't be reached, after some attempts, as unavailable", async () => {
  const { replaceRuntime } = await import("#src/runtime.js");
  let waits = 0;
  const restore = replaceRuntime({
    sleep: async () => {
      waits++;
    },
  });
  try {
    // Port 9 (discard) is closed on any machine that runs tests.
    await using store = s3Store("s3://b/t", { endpoint: "http://127.0.0.1:9", credentials: SECRETS });
    await expectCode("DELTA_STORAGE_UNAVAILABLE", () => store.get("a"));
    expect(waits).toBe(6);
    expect(await store.putIfAbsent("a", Uint8Array.of(1))).toBe("unknown");
    expect(waits).toBe(6);
  } finally {
    restore();
  }
});
