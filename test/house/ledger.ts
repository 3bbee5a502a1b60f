/** A requirement of spec/requirements.md. */
export interface Requirement {
  readonly id: string;
  readonly section: string;
  readonly text: string;
  /** The exception or todo. */
  readonly open?: string;
}

/** A test file that names a requirement. */
export interface Mention {
  readonly id: string;
  readonly file: string;
}

const ITEM = /^- \*\*(R-[A-Z0-9]+-\d+)\*\* (.*)$/;
const OPEN = /^(.*?) ((?:Exception|Todo): .*)$/s;

/** The requirements, in their order. An item may go on in indented lines. */
export function parseRequirements(markdown: string): Requirement[] {
  const requirements: Requirement[] = [];
  let section = "";
  for (const line of markdown.split("\n")) {
    const item = ITEM.exec(line);
    const last = requirements.at(-1);
    if (line.startsWith("## ")) section = line.slice(3);
    else if (item !== null) requirements.push({ id: item[1]!, section, text: item[2]! });
    else if (line.startsWith("  ") && last !== undefined) {
      requirements[requirements.length - 1] = { ...last, text: `${last.text} ${line.trim()}` };
    }
  }
  return requirements.map((requirement) => {
    const open = OPEN.exec(requirement.text);
    return open === null ? requirement : { ...requirement, text: open[1]!, open: open[2]! };
  });
}

/** What doesn't fit between the requirements and the tests. */
export function flawsOf(requirements: readonly Requirement[], mentions: readonly Mention[]): string[] {
  const flaws: string[] = [];
  const known = new Set<string>();
  for (const { id, open } of requirements) {
    if (known.has(id)) flaws.push(`${id} is there twice`);
    known.add(id);
    const isTested = mentions.some((mention) => mention.id === id);
    if (!isTested && open === undefined) flaws.push(`${id} has no test, exception or todo`);
  }
  for (const { id, file } of mentions) {
    if (!known.has(id)) flaws.push(`${id}, which ${file} names, isn't a requirement`);
  }
  return flaws;
}

/** The text of spec/ledger.md. */
export function ledgerOf(requirements: readonly Requirement[], mentions: readonly Mention[]): string {
  const tested = requirements.filter(({ id }) => mentions.some((mention) => mention.id === id)).length;
  const open = (word: string) => requirements.filter((requirement) => requirement.open?.startsWith(word)).length;
  const lines = [
    "# Requirements and their tests",
    "",
    "Made from [requirements.md](requirements.md) and the tests by `npx vitest run test/house/ledger.test.ts -u`; not to be edited.",
    `${tested} of ${requirements.length} requirements are tested; ${open("Exception")} are exceptions, ${open("Todo")} are to do.`,
  ];
  let section = "";
  for (const requirement of requirements) {
    if (requirement.section !== section) {
      section = requirement.section;
      lines.push("", `## ${section}`);
    }
    const files = mentions.filter(({ id }) => id === requirement.id).map(({ file }) => `[${file}](../${file})`);
    const all = [...files, ...(requirement.open === undefined ? [] : [requirement.open])];
    lines.push(`- **${requirement.id}** ${all.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}
