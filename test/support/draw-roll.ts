import { rolesAlone, rollTurns } from "../../model/image-rolls";
import { figuresOfRoll, type RollFigures, sumOfRolls } from "../../model/measured/roll-figures";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { drawing, element, type Theme, themes, words } from "../../view/picture/drawing";

const WIDTH = 960;
const LEFT = 130;
const RIGHT = 330;
const ROW = 26;
const TOP = 64;

interface Turn {
  readonly names: string;
  readonly figures: RollFigures;
  /** Of the turns before it that are measured. */
  readonly startSeconds: number;
}

/** The turns in which the nodes of a stack get another image, as bars of the time that was measured for each. */
export function drawRoll(plan: DataCenterPlan, theme: Theme): string {
  const turns = turnsOf(plan);
  const { seconds, unmeasuredNodes } = sumOfRolls(turns.map(({ figures }) => figures));
  const height = TOP + turns.length * ROW + 14;
  const without = unmeasuredNodes > 0 ? `, without ${unmeasuredNodes} that are not measured` : "";
  const title = `Another image for all ${turns.length} nodes of ${plan.stack}: ${seconds} seconds${without}`;
  const { quiet, line } = themes[theme];
  const x = (second: number): number => Math.round(LEFT + (second / Math.max(seconds, 1)) * (WIDTH - LEFT - RIGHT));
  return drawing({ width: WIDTH, height, title, theme }, [
    words(16, 28, title, { "font-size": 15, "font-weight": 700 }),
    ...ticks(seconds).flatMap((second) => [
      element("path", { d: `M${x(second)} ${TOP - 8} V${height - 10}`, stroke: line }),
      words(x(second), TOP - 14, `${second} s`, { "text-anchor": "middle", fill: quiet }),
    ]),
    ...turns.flatMap((turn, index) => drawTurn(turn, TOP + index * ROW, x, theme)),
  ]);
}

const STEP_SECONDS = 60;
const ticks = (seconds: number): readonly number[] =>
  Array.from({ length: Math.floor(seconds / STEP_SECONDS) + 1 }, (_, index) => index * STEP_SECONDS);

function turnsOf({ nodes }: DataCenterPlan): readonly Turn[] {
  const countOf = (role: (typeof nodes)[number]["roles"][number]): number =>
    nodes.filter(({ roles }) => roles.includes(role)).length;
  let startSeconds = 0;
  return rollTurns(nodes, 1).map((turn) => {
    const [node] = turn;
    const figures = figuresOfRoll({ roles: node?.roles ?? [], alone: rolesAlone(node?.roles ?? [], countOf) });
    const here = { names: turn.map(({ name }) => name).join(", "), figures, startSeconds };
    startSeconds += figures.duration?.seconds ?? 0;
    return here;
  });
}

function drawTurn({ names, figures, startSeconds }: Turn, y: number, x: (second: number) => number, theme: Theme) {
  const { quiet, accent } = themes[theme];
  const { duration, gap } = figures;
  const said = duration === undefined ? "not measured" : `${duration.seconds} s`;
  const gaps = gap === undefined ? "" : `, ${gap.of} up to ${gap.longestMs} ms`;
  const end = startSeconds + (duration?.seconds ?? 0);
  return [
    words(16, y + 16, names, { "font-weight": 700 }),
    element("rect", {
      ...{ x: x(startSeconds), y: y + 5, height: 12, rx: 2, fill: accent },
      width: Math.max(2, x(end) - x(startSeconds)),
    }),
    words(x(end) + 8, y + 16, `${said}${gaps}`, { fill: quiet }),
  ];
}
