import { guestCommand } from "../../model/guest-paths";
import type { SeedFile } from "../role-content";
import { commonFiles } from "./common-files";
import type { FileExplanation, Stanzas } from "./explanation";
import { infrastructureFiles } from "./infrastructure-files";
import { kubernetesFiles } from "./kubernetes-files";
import { registryFiles } from "./registry-files";
import { systemdStanzas } from "./systemd-stanzas";
import { unitExplanations } from "./units";

export type { FileExplanation, UnitExplanation } from "./explanation";
export { unitExplanations } from "./units";

/** By path; `*` stands for a name that depends on the node. */
export const fileExplanations: Readonly<Record<string, FileExplanation>> = {
  ...commonFiles,
  ...infrastructureFiles,
  ...kubernetesFiles,
  ...registryFiles,
};

const commandFolder = guestCommand("node-ready").replace("node-ready", "");

/** Why a file of a seed is on its machine; `undefined` if no table has it, which a test forbids. */
export function explanationOf(file: SeedFile): FileExplanation | undefined {
  const { path } = file;
  const listed = fileExplanations[path] ?? fileExplanations[path.replace(/[^/]+$/, "*")];
  if (listed) return listed;
  const unit = unitOfFile(path);
  const explained = unit === undefined ? undefined : unitExplanations[unit];
  if (unit !== undefined && explained) return { why: explained.why, unit };
  if (!path.startsWith(commandFolder) || !("content" in file)) return undefined;
  const why = headOf(file.content);
  return why === undefined ? undefined : { why, shown: `cat ${path}` };
}

/** The unit that a file of systemd defines. */
export const unitOfFile = (path: string): string | undefined =>
  /^\/etc\/systemd\/system\/([^/]+\.(?:service|timer|target|mount))$/.exec(path)?.[1];

/** What the script says about itself in its first comment. */
export function headOf(script: string): string | undefined {
  const [, comment] = /^#![^\n]*\n((?:#[^\n]*\n)+)/.exec(script) ?? [];
  const [first] = (comment ?? "").replaceAll(/^# ?/gm, "").split(/\n\s*\n|\n {2,}/);
  return first?.trim() ? first.trim().replaceAll(/\s*\n\s*/g, " ") : undefined;
}

export const isCommand = (path: string): boolean => path.startsWith(commandFolder);

export const stanzasOf = (file: SeedFile): Stanzas | undefined =>
  /^\/etc\/systemd\/system\//.test(file.path) ? systemdStanzas : explanationOf(file)?.stanzas;

export interface Stanza {
  /** What the lines do; absent where a note before covers them. */
  readonly note?: string;
  readonly lines: readonly string[];
}

/** A text in parts, each with its note. */
export function annotate(text: string, stanzas: Stanzas): readonly Stanza[] {
  const parts: { note?: string; lines: string[] }[] = [];
  // The longest one that fits: `frontend api` before `frontend`.
  const begins = Object.keys(stanzas)
    .filter((begin) => begin !== "*")
    .sort((one, other) => other.length - one.length);
  for (const line of text.trimEnd().split("\n")) {
    const words = line.trimStart();
    const begin = begins.find((each) => words.startsWith(each));
    const note = begin !== undefined ? stanzas[begin] : words === "" ? undefined : stanzas["*"];
    const last = parts.at(-1);
    if (last && (note === undefined || note === last.note)) last.lines.push(line);
    else parts.push({ ...(note !== undefined && { note }), lines: [...commentsAtEnd(last?.lines), line] });
  }
  return parts.filter(({ lines }) => lines.length > 0);
}

/** Takes the comments from the end of a part: they are about the next one. */
function commentsAtEnd(lines: string[] = []): readonly string[] {
  let count = 0;
  while (/^\s*#/.test(lines.at(-1 - count) ?? "")) count++;
  return count === 0 ? [] : lines.splice(-count);
}
