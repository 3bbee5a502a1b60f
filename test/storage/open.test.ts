import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openStore } from "#src/storage/open.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("openStore", () => {
  it("takes a string without a scheme for a path", () => {
    for (const location of ["table", "./a b", "/abs/x%20y#?", "C:\\tables\\t", "d:/t", "./odd:name"]) {
      expect(openStore(location).url).toBe(path.resolve(location));
    }
  });

  it("decodes file URLs, given as string or object", () => {
    const file = path.resolve("/tmp/a b%/ü#1");
    expect(openStore(pathToFileURL(file)).url).toBe(file);
    expect(openStore(pathToFileURL(file).href).url).toBe(file);
    expect(openStore("file:/tmp/x").url).toBe(path.resolve("/tmp/x"));
    expect(openStore("FILE:///tmp/x").url).toBe(path.resolve("/tmp/x"));
  });

  it("takes S3 prefixes as they are from a string, decoded from a URL object", () => {
    expect(openStore("s3://bucket/a b/c%20d/").url).toBe("s3://bucket/a b/c%20d");
    expect(openStore("s3a://bucket/t").url).toBe("s3a://bucket/t");
    expect(openStore("s3://bucket").url).toBe("s3://bucket");
    expect(openStore("s3://bucket/").url).toBe("s3://bucket");
    expect(openStore(new URL("s3://bucket/a%20b")).url).toBe("s3://bucket/a b");
  });

  it("names memory stores", () => {
    expect(openStore("memory:x").url).toBe("memory:x");
    expect(openStore("memory:").url).toBe("memory:");
  });

  it("refuses what it can't open", () => {
    const unsupported = [
      "http://host/t",
      "https://host/t",
      "gs://b/t",
      "abfss://c@a/t",
      "hdfs://n/t",
      "ftp:x",
      "file:rel",
    ];
    for (const location of [
      ...unsupported,
      "file://remote-host/x",
      "s3:bucket/x",
      "s3://",
      "s3:///x",
      "s3://b:9000/x",
    ]) {
      expect(() => openStore(location), location).toThrow(expect.objectContaining({ code: "DELTA_UNSUPPORTED_URL" }));
    }
    expect(() => openStore("")).toThrow(expect.objectContaining({ code: "DELTA_INVALID_ARGUMENT" }));
  });

  it("never repeats credentials from a URL", () => {
    for (const location of ["s3://AKIA:sesame@bucket/t", "https://me:sesame@host/t"]) {
      let error: unknown;
      try {
        openStore(location);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: "DELTA_UNSUPPORTED_URL" });
      expect(String(error) + JSON.stringify(error)).not.toContain("sesame");
    }
  });

  it("refuses wrong S3 options at once", () => {
    for (const s3 of [
      { endpoint: "127.0.0.1:9000" },
      { endpoint: "ftp://host" },
      { endpoint: "http://me:sesame@host" },
      { maxConcurrentRequests: 0 },
      { maxConcurrentRequests: 1.5 },
      { timeoutMs: -1 },
    ]) {
      expect(() => openStore("s3://b/t", { s3 })).toThrow(expect.objectContaining({ code: "DELTA_INVALID_ARGUMENT" }));
    }
    vi.stubEnv("AWS_ENDPOINT_URL", "no address");
    expect(() => openStore("s3://b/t")).toThrow(expect.objectContaining({ code: "DELTA_INVALID_ARGUMENT" }));
  });
});
