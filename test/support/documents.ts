import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export const projectFolder = path.resolve(__dirname, "..", "..");

/** Every Markdown file of the project, relative to its folder. */
export const documents: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  { cwd: projectFolder, encoding: "utf8" },
)
  .split("\n")
  .filter((file) => file !== "" && fs.existsSync(path.join(projectFolder, file)));

/** What users read, the README first. */
export const guide: readonly string[] = documents
  .filter((document) => document === "README.md" || document.startsWith("docs/"))
  .sort((one, other) => Number(other === "README.md") - Number(one === "README.md"));

export const readDocument = (file: string): string => fs.readFileSync(path.join(projectFolder, file), "utf8");

/** Command lines in the `sh` blocks of a text, without comments, and without the script that example-authority.ts runs as a whole. */
export function commandLines(text: string): readonly string[] {
  const withoutScripts = text.replaceAll(/^<!-- authority:begin -->$.*?^<!-- authority:end -->$/gms, "");
  return [...withoutScripts.matchAll(/^```sh\n(.*?)^```$/gms)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** All code in a text: inline code, and command lines of blocks. */
export function codeIn(text: string): readonly string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  return [...[...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code), ...commandLines(text)];
}

/** A generated part of a document, between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
export interface WrittenPart {
  readonly document: string;
  readonly name: string;
  render(): string;
}

/** The document with the current version of the part. */
export function withPart(text: string, { name, render }: WrittenPart): string {
  const [begin, end] = [`<!-- ${name}:begin -->\n`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`there is no ${begin.trim()} … ${end}`);
  return `${text.slice(0, from + begin.length)}${render().trimEnd()}\n${text.slice(to)}`;
}

export const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n");
}
