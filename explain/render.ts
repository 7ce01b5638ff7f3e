import type { Explanation, Section } from "./explanation";
import { kindNames, kinds } from "./explanation";
import type { Topic } from "./topics";

/** How a text is shown: as wide as its reader wants, and coloured, or not. */
export interface Appearance {
  readonly columns: number;
  paint(style: "heading" | "name" | "aside", text: string): string;
}

const INDENT = "  ";
/** Longer lines are hard to read, however wide the terminal is. */
const MOST_COLUMNS = 100;
const MOST_NAME = 30;

export function renderExplanation(explanation: Explanation, appearance: Appearance): string {
  const { kind, name, is, why, sections } = explanation;
  const { paint } = appearance;
  const head = `${paint("heading", name)} ${paint("aside", `(${kind})`)}`;
  const parts = [is, ...(why === undefined ? [] : [why])].map((text) => wrap(capital(text), appearance).join("\n"));
  return [head, ...parts, ...sections.map((section) => renderSection(section, appearance))].join("\n\n");
}

function renderSection({ title, text, rows, commands, parts }: Section, appearance: Appearance): string {
  const { paint } = appearance;
  const lines = wrap(title, appearance).map((line) => paint("heading", line));
  if (text !== undefined) for (const line of text.split("\n")) lines.push(...wrap(line, appearance, INDENT));
  if (rows) lines.push(...renderRows(rows, appearance));
  for (const command of commands ?? []) lines.push(`${INDENT}${paint("name", command)}`);
  for (const { note, lines: verbatim } of parts ?? []) {
    if (note !== undefined) {
      const [first = "", ...rest] = wrap(note, appearance, `${INDENT}${INDENT}`);
      lines.push(...[`${INDENT}▸ ${first.trimStart()}`, ...rest].map((line) => paint("aside", line)));
    }
    lines.push(...verbatim.map((line) => `${INDENT}${line}`.trimEnd()));
  }
  return lines.join("\n");
}

/** Names in a column, their texts beside it; a text whose name is too long begins below. */
function renderRows(rows: readonly (readonly [string, string])[], appearance: Appearance): readonly string[] {
  const width = nameColumn(rows, columnsOf(appearance));
  const hanging = " ".repeat(INDENT.length + width + 2);
  return rows.flatMap(([name, text]) => {
    const [first = "", ...rest] = wrap(text, appearance, hanging);
    const painted = appearance.paint("name", name);
    if (name.length > width) {
      const names = wrap(name, appearance, INDENT).map((line) => appearance.paint("name", line));
      return [...names, ...(text === "" ? [] : [first, ...rest])];
    }
    const gap = " ".repeat(width - name.length + 2);
    return [`${INDENT}${painted}${gap}${first.trimStart()}`.trimEnd(), ...rest];
  });
}

/** As wide as the longest name if each row fits in a line; else names may not take the room of the texts. */
function nameColumn(rows: readonly (readonly [string, string])[], columns: number): number {
  const [name, text] = [0, 1].map((cell) => Math.max(...rows.map((row) => (row[cell] ?? "").length)));
  const longest = name ?? 0;
  return longest + (text ?? 0) + INDENT.length + 2 <= columns ? longest : Math.min(longest, MOST_NAME, columns >> 1);
}

const columnsOf = ({ columns }: Appearance): number => Math.max(40, Math.min(columns, MOST_COLUMNS));

/** Words in lines that fit; a word that is longer than a line has one of its own. */
export function wrap(text: string, appearance: Appearance, indent = ""): readonly string[] {
  const room = columnsOf(appearance) - indent.length;
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}${line}`);
}

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** What can be explained, by kind; of each the name and one line. */
export function renderTopics(topics: readonly Topic[], appearance: Appearance): string {
  const { paint } = appearance;
  const groups = kindNames
    .map((kind) => ({ kind, own: topics.filter((topic) => topic.kind === kind) }))
    .filter(({ own }) => own.length > 0);
  return groups
    .map(({ kind, own }) => {
      const names = own.map(({ name }) => name).join(", ");
      const rows = own.map(({ name, title }) => [name, title] as const);
      const body = groups.length === 1 ? renderRows(rows, appearance) : wrap(names, appearance, INDENT);
      return [`${paint("heading", kind)}: ${kinds[kind]}`, ...body].join("\n");
    })
    .join("\n\n");
}
