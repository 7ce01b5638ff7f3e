import type { Role } from "../../model/roles";
import { floatingIpSegment } from "../../model/segments";
import type { Band, Point } from "./boxes";
import type { FlowLine, Topology } from "./state";

/** What passes from one segment into another. */
export interface Arrow {
  readonly label: string;
  /** For those who do not see it. */
  readonly title: string;
  readonly points: readonly Point[];
  readonly labelAt: Point;
}

/** Between segments that are beside each other in the gap, between others in lanes on the right. */
export function arrowsOf(
  topology: Topology,
  bands: readonly Band[],
  gutter: { readonly from: number; readonly to: number } | undefined,
): readonly Arrow[] {
  // A phone has no room beside the segments; the list of flows has them all.
  if (gutter === undefined) return [];
  const isLast = (band: Band): boolean => bands.every((other) => other.y !== band.y || other.x <= band.x);
  // A lane would seem to begin at the segment that is between; the list of flows has them all.
  const pairs = pairsOf(topology, bands).filter(({ from, to }) => from.y === to.y || (isLast(from) && isLast(to)));
  const lanes = pairs.filter(({ from, to }) => from.y !== to.y);
  return pairs.map((pair) => {
    const position = lanes.indexOf(pair);
    return position < 0 ? acrossGap(pair) : alongLane(pair, lanes, position, gutter.from);
  });
}

interface Pair {
  readonly from: Band;
  readonly to: Band;
  readonly flows: readonly FlowLine[];
}

function pairsOf({ machines, flows }: Topology, bands: readonly Band[]): readonly Pair[] {
  const bandOf = (role: Role | "host" | "floating-ip"): Band | undefined => {
    if (role === "floating-ip") return bands.find(({ segment }) => segment.name === floatingIpSegment);
    const machine = machines.find(({ roles, segment }) => segment && (roles as readonly string[]).includes(role));
    return bands.find(({ segment }) => segment.name === machine?.segment);
  };
  const pairs: Pair[] = [];
  for (const flow of flows) {
    const [from, to] = [bandOf(flow.from), bandOf(flow.to)];
    // The way of a request, from the balancers to the masters, is drawn from machine to machine.
    if (!from || !to || from === to || flow.from === "balancer") continue;
    const known = pairs.findIndex((pair) => pair.from === from && pair.to === to);
    if (known < 0) pairs.push({ from, to, flows: [flow] });
    else pairs[known] = { from, to, flows: [...(pairs[known]?.flows ?? []), flow] };
  }
  return pairs;
}

const labelOf = (flows: readonly FlowLine[]): string => shortLabel(flows[0]?.purpose ?? "");

/** e.g. `API, balanced`: the first word tells enough. */
const shortLabel = (purpose: string): string => {
  const [first = ""] = purpose.split(/,| of /);
  return first.replace(/^Gluster /, "");
};

const titleOf = ({ from, to, flows }: Pair): string =>
  `${from.segment.name} to ${to.segment.name}: ${flows.map(({ purpose, port }) => `${purpose} (port ${port})`).join("; ")}`;

function acrossGap(pair: Pair): Arrow {
  const { from, to, flows } = pair;
  const y = from.y + Math.min(from.height, to.height) / 2;
  const isRight = to.x > from.x;
  const points = isRight
    ? [
        { x: from.x + from.width, y },
        { x: to.x, y },
      ]
    : [
        { x: from.x, y },
        { x: to.x + to.width, y },
      ];
  const [start, end] = points as [Point, Point];
  return { label: labelOf(flows), title: titleOf(pair), points, labelAt: { x: (start.x + end.x) / 2, y: y - 7 } };
}

function alongLane(pair: Pair, lanes: readonly Pair[], position: number, gutter: number): Arrow {
  const { from, to, flows } = pair;
  const x = gutter + 26 + position * Math.min(26, 78 / Math.max(1, lanes.length));
  // Several arrows at one segment have places of their own.
  const offset = (band: Band): number =>
    (lanes.filter(({ from: one, to: other }) => one.y === band.y || other.y === band.y).indexOf(pair) + 1) * 16;
  const [start, end] = [from, to].map((band) => ({ x: gutter, y: band.y + 14 + offset(band) })) as [Point, Point];
  const points = [
    { x: start.x, y: start.y },
    { x, y: start.y },
    { x, y: end.y },
    { x: end.x, y: end.y },
  ];
  return { label: labelOf(flows), title: titleOf(pair), points, labelAt: { x: x + 5, y: (start.y + end.y) / 2 } };
}
