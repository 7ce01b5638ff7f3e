import { stripVTControlCharacters, styleText } from "node:util";

/** The styles that commands use. Each says the same as the text that it colours, which is complete without it. */
const styles = {
  heading: "bold",
  name: "cyan",
  good: "green",
  warning: "yellow",
  bad: "red",
  aside: "dim",
} as const;

export type Style = keyof typeof styles;

export type Paint = (style: Style, text: string) => string;

/** The part of a stream that decides about colours. */
export interface Output {
  readonly isTTY?: boolean;
}

/**
 * Whether a stream gets colours: the only place that decides it. As in Node.js, FORCE_COLOR is stronger than NO_COLOR, so that
 * programs that a command starts agree with it.
 */
export function hasColours(output: Output, environment: NodeJS.ProcessEnv = process.env): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none, TERM: terminal } = environment;
  if (force !== undefined) return force !== "0" && force !== "false";
  if (none) return false;
  return output.isTTY === true && terminal !== "dumb";
}

/** What colours a text for a stream, or leaves it as it is. */
export function painterFor(output: Output, environment?: NodeJS.ProcessEnv): Paint {
  return hasColours(output, environment)
    ? (style, text) => (text === "" ? text : styleText(styles[style], text, { validateStream: false }))
    : plainText;
}

export const plainText: Paint = (_style, text) => text;

/** How many columns a text takes. */
export const widthOf = (text: string): number => stripVTControlCharacters(text).length;
