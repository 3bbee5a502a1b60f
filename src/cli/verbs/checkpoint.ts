import type { CommandRow, Session } from "../command.js";

export const checkpoint: CommandRow = {
  name: "checkpoint",
  summary: "Write a checkpoint of the newest version, so that readers start there",
  maxOperands: 0,
  options: [],
  examples: [{ command: "checkpoint ./events", does: "Appends do so by themselves every ten versions" }],
  run: writeCheckpoint,
};

async function writeCheckpoint({ stdout, table, json, signal }: Session): Promise<void> {
  const { version } = await table.checkpoint({ signal });
  await stdout.line(json ? JSON.stringify({ version }) : `wrote a checkpoint of version ${version}`);
}
