import { drawing, element, type Theme, themes, words } from "../../view/picture/drawing";

/** What a command printed, by the second. */
export interface Recording {
  readonly command: string;
  readonly commit: string;
  readonly date: string;
  readonly lines: readonly { readonly seconds: number; readonly text: string }[];
}

const WIDTH = 960;
const ROWS = 20;
const ROW = 19;
const TOP = 56;
const LEFT = 18;
/** Longer lines are cut. */
const COLUMNS = 116;
/** How long the last lines stay before it begins again. */
const REST_SECONDS = 12;

/**
 * A terminal in which the lines come as they did. Without animations it shows the last ones, so the drawing is complete in viewers that have
 * none, and for those who do not want to see movement.
 */
export function drawRecording({ command, lines }: Recording, theme: Theme): string {
  const height = TOP + ROWS * ROW + 18;
  const seconds = (lines.at(-1)?.seconds ?? 0) + REST_SECONDS;
  const { panel, line, quiet, accent } = themes[theme];
  const title = `What ${command} prints, as it comes: ${(lines.at(-1)?.seconds ?? 0).toFixed(0)} seconds`;
  // The newest line is at the bottom, so one movement of all lines shows each at its time.
  const shift = (shown: number): number => (ROWS - shown) * ROW;
  const moments = lines.map(({ seconds: at }, index) => [((at / seconds) * 100).toFixed(2), index + 1] as const);
  // Of lines that came together, the last one counts.
  const shownAt = new Map<string, number>([["0.00", 0], ...moments, ["100.00", lines.length]]);
  const frames = [...shownAt].map(([at, shown]) => `${at}%{transform:translateY(${shift(shown)}px)}`).join("");
  const style = `@keyframes come{${frames}}.lines{transform:translateY(${shift(lines.length)}px);animation:come ${seconds.toFixed(1)}s step-end infinite}@media (prefers-reduced-motion:reduce){.lines{animation:none}}`;
  const window = { x: 8, y: TOP - 12, width: WIDTH - 16, height: ROWS * ROW + 20, rx: 6 };
  return drawing({ width: WIDTH, height, title, theme }, [
    element("style", {}, style),
    words(LEFT, 28, `$ ${command}`, { "font-size": 14, "font-weight": 700, "font-family": "monospace", fill: accent }),
    element("clipPath", { id: "window" }, element("rect", window)),
    element("rect", { ...window, fill: panel, stroke: line }),
    element(
      "g",
      { "clip-path": "url(#window)", "font-family": "monospace", "font-size": 13 },
      element(
        "g",
        { class: "lines" },
        ...lines.map(({ text }, index) =>
          words(LEFT, TOP + index * ROW + 12, text.slice(0, COLUMNS), {
            "xml:space": "preserve",
            ...(/^ +\d+:\d\d /.test(text) && { fill: quiet }),
          }),
        ),
      ),
    ),
  ]);
}
