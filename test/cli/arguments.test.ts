import { describe, expect, it } from "vitest";
import { parseArguments } from "#src/cli/arguments.js";
import type { CommandRow } from "#src/cli/command.js";
import { COMMANDS } from "#src/cli/commands.js";
import { commandHelp, programHelp } from "#src/cli/help.js";
import { UsageError } from "#src/cli/usage.js";

const command = (name: string) => COMMANDS.find((row) => row.name === name) as CommandRow;
const parse = (name: string, ...args: string[]) => parseArguments(command(name), args);

describe("arguments", () => {
  it("are taken in any order, with values behind a space or an equals sign", () => {
    const given = parse("read", "--limit", "3", "T", "--columns=a, b", "--json", "--where", "-1 < x");
    expect(given.location).toBe("T");
    expect(given.count("limit")).toBe(3);
    expect(given.names("columns")).toEqual(["a", "b"]);
    expect(given.text("where")).toBe("-1 < x");
    expect([given.has("json"), given.has("version"), given.count("version")]).toEqual([true, false, undefined]);
  });

  it("name columns with commas in backticks", () => {
    expect(parse("read", "T", "--columns", "`a,b``c`,d, e ").names("columns")).toEqual(["a,b`c", "d", "e"]);
  });

  it("gather pairs", () => {
    const given = parse("create", "T", "--property", "a=b=c", "--property", "d=");
    expect(given.pairs("property")).toEqual({ a: "b=c", d: "" });
  });

  it("are operands behind --, and so is a single dash", () => {
    const given = parse("append", "--", "--T", "-", "--x");
    expect([given.location, ...given.operands]).toEqual(["--T", "-", "--x"]);
  });

  it.each([
    ["an unknown option", ["read", "T", "--limt", "3"], "--limit"],
    ["an unknown short option", ["read", "T", "-n", "3"], "--help"],
    ["a missing value", ["read", "T", "--limit"], "--limit N"],
    ["an option for a value", ["read", "T", "--where", "--limit", "3"], "--where SQL"],
    ["a value for a flag", ["read", "T", "--json=yes"], "--json"],
    ["no whole number", ["read", "T", "--limit", "1.5"], "whole number"],
    ["a number that is no safe integer", ["read", "T", "--version", "9007199254740993"], "whole number"],
    ["no choice", ["read", "T", "--format", "jsno"], "jsonl"],
    ["an empty name", ["read", "T", "--columns", "a,,b"], "--columns A,B"],
    ["no pair", ["create", "T", "--property", "x"], "--property KEY=VALUE"],
    ["an option twice", ["read", "T", "--limit", "3", "--limit", "4"], "once"],
    ["options that exclude each other", ["read", "T", "--version", "3", "--timestamp", "2024-01-01"], "one of them"],
    ["no table", ["read", "--limit", "3"], "delta-table read <table>"],
    ["too many operands", ["read", "T", "U"], "Quote"],
  ])("refuse %s with a hint", (_, [name, ...args], hint) => {
    let error: unknown;
    try {
      parse(name, ...args);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).hint).toContain(hint);
  });

  it("ask for help whatever else is missing", () => {
    expect(parse("read", "--help").has("help")).toBe(true);
    expect(parse("read", "-h").has("help")).toBe(true);
  });
});

describe("help", () => {
  it("names every command, and of each every option with an example", () => {
    for (const row of COMMANDS) {
      expect(programHelp(COMMANDS)).toContain(`  ${row.name} `);
      const help = commandHelp(row);
      for (const option of row.options) expect(help).toContain(`--${option.name}`);
      expect(row.examples.length).toBeGreaterThan(0);
      for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(110);
    }
  });

  it("has examples that parse", () => {
    for (const { examples } of COMMANDS) {
      for (const { command: line } of examples) {
        const ours = (line.split(" | ").find((part) => part.startsWith("delta-table ")) ?? line).replace(
          /^delta-table /,
          "",
        );
        const words = [...ours.replace(/ > .*/, "").matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
          (m) => m[1] ?? m[2] ?? m[3],
        );
        expect(() => parse(words[0], ...words.slice(1)), line).not.toThrow();
      }
    }
  });
});
