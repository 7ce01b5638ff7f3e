import type { MeasureResult, VerifyReport } from "../../model/contract-report";
import { drawing, element, type Theme, themes, words } from "../../view/picture/drawing";

const WIDTH = 960;
const LEFT = 600;
const RIGHT = 90;
const ROW = 26;
const TOP = 64;
/** Longer measures are recoveries, in which clients already have their answers. */
const LONGEST_MS = 1_000;
const END_MS = 1_250;

/** The times in which clients notice a fault, as bars: the median, the longest round, and the target. */
export function drawContract(reports: readonly VerifyReport[], theme: Theme): string {
  const ways = new Set(reports.map(({ movedBy }) => movedBy));
  const rows = reports.flatMap(({ movedBy, faults }) =>
    faults.flatMap(({ results }) =>
      results
        .filter(isOfClients)
        .map((row) => ({ ...row, fault: ways.size > 1 ? `${row.fault}, ${movedBy}` : row.fault })),
    ),
  );
  const height = TOP + rows.length * ROW + 14;
  const title = `What clients notice of faults of ${reports.map(({ stack }) => stack).at(0) ?? "no stack"}, in milliseconds`;
  const { quiet, accent, line } = themes[theme];
  return drawing({ width: WIDTH, height, title, theme }, [
    words(16, 28, title, { "font-size": 15, "font-weight": 700 }),
    ...[0, 250, 500, 750, 1_000, 1_250].flatMap((ms) => [
      element("path", { d: `M${x(ms)} ${TOP - 8} V${height - 10}`, stroke: line }),
      words(x(ms), TOP - 14, `${ms}`, { "text-anchor": "middle", fill: quiet }),
    ]),
    ...rows.flatMap((row, index) => drawRow(row, TOP + index * ROW, theme)),
    words(16, TOP - 14, "bar: median; thin: longest round; line: target", { fill: accent }),
  ]);
}

const isOfClients = ({ unit, target }: MeasureResult): boolean =>
  unit === "ms" && target !== undefined && target > 0 && target <= LONGEST_MS;

const x = (ms: number): number => Math.round(LEFT + (Math.min(ms, END_MS) / END_MS) * (WIDTH - LEFT - RIGHT));

function drawRow(
  { fault, what, p50, max, target = 0, met }: MeasureResult,
  y: number,
  theme: Theme,
): readonly string[] {
  const { text, quiet, good, bad } = themes[theme];
  const fill = met ? good : bad;
  return [
    words(16, y + 16, fault, { "font-weight": 700 }),
    words(140, y + 16, what, { fill: quiet, "font-size": 11 }),
    element("rect", { x: x(0), y: y + 9, width: x(max) - x(0), height: 4, fill, opacity: 0.55 }),
    element("rect", { x: x(0), y: y + 5, width: x(p50) - x(0), height: 12, rx: 2, fill }),
    element("path", { d: `M${x(target)} ${y + 2} v18`, stroke: text, "stroke-width": 2 }),
    words(WIDTH - RIGHT + 12, y + 16, `${p50} / ${max}`, { fill: quiet }),
  ];
}
