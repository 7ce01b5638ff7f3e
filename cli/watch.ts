import { setTimeout as sleep } from "node:timers/promises";
import { widthOf } from "./colours";

/** The part of stdout that a repeated report needs. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const HOME = "\u001b[H";
const CLEAR_TO_END_OF_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";
const CLEAR_SCREEN = "\u001b[2J";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

/**
 * The text from the upper left corner, over the former one. What does not fit is left out: a screen that scrolls would add a
 * copy to what was there before each time.
 */
export function drawScreen(text: string, { columns = 80, rows = 24 }: Pick<Screen, "columns" | "rows">): string {
  const lines = text.trimEnd().split("\n");
  const shown: string[] = [];
  let left = rows - 1;
  for (const line of lines) {
    left -= Math.max(1, Math.ceil(widthOf(line) / columns));
    if (left < (shown.length === lines.length - 1 ? 0 : 1)) break;
    shown.push(line);
  }
  const hidden = lines.length - shown.length;
  if (hidden > 0) shown.push(`… ${hidden} more lines; the terminal is too small`);
  return `${HOME}${shown.map((line) => `${line}${CLEAR_TO_END_OF_LINE}`).join("\n")}\n${CLEAR_BELOW}`;
}

export interface Watch {
  readonly seconds: number;
  readonly screen: Screen;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Returns the report as text. */
  report(): Promise<string>;
  /** Programs read it: one report after the other, also on a terminal, and nothing between them. */
  readonly isForPrograms?: boolean;
  readonly now?: () => Date;
}

/** Whether reports take each other's place. */
export const isDrawn = ({ screen, isForPrograms = false }: Pick<Watch, "screen" | "isForPrograms">): boolean =>
  screen.isTTY === true && !isForPrograms;

/** Repeats a report until the signal: in place on a terminal, else one after the other, each with its time. */
export async function watch(options: Watch): Promise<void> {
  const { seconds, screen, signal, report, isForPrograms = false, now = () => new Date() } = options;
  const drawn = isDrawn(options);
  if (drawn) screen.write(`${HIDE_CURSOR}${CLEAR_SCREEN}`);
  // One listener for all reports.
  const interrupted = aborted(signal);
  try {
    while (!signal.aborted) {
      const text = await Promise.race([report(), interrupted]);
      if (text === undefined) break;
      const dated = isForPrograms ? text : `${now().toISOString()}, every ${seconds} s, Ctrl-C ends\n\n${text}\n`;
      screen.write(drawn ? drawScreen(dated, screen) : `${dated}\n`);
      await sleep(1_000 * seconds, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    if (drawn) screen.write(SHOW_CURSOR);
  }
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
