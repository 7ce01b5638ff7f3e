import { floatingIpSegment, type SegmentName } from "../../model/segments";
import { type Arrow, arrowsOf } from "./arrows";
import type { Band, Box, Card, Point } from "./boxes";
import type { MachineBox, SegmentBox, Topology } from "./state";

/** Where everything is drawn; a function of the plan and the width alone, so that only what changes moves. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly host: Box;
  readonly gateway: Card;
  readonly bands: readonly Band[];
  /** Lines of the gateway's cables, as points. */
  readonly cables: readonly (readonly Point[])[];
  readonly arrows: readonly Arrow[];
  /** Where the floating IP is while no machine holds it. */
  readonly lost: Point;
}

export const sizes = {
  ...{ margin: 12, gap: 16, wideGap: 76, trunk: 20, gutter: 124 },
  ...{ cardWidth: 196, cardHeight: 100, tileWidth: 80, tileHeight: 40 },
  ...{ bandHead: 30, bandPad: 14, pillWidth: 164, pillHeight: 24 },
  ...{ wideFrom: 860, tilesFrom: 9 },
} as const;

/** Segments that are beside each other where there is room. */
const rowsOfBands: readonly (readonly SegmentName[])[] = [["dmz"], ["etcd", "masters"], ["storage", "workers"]];

export function layOut(topology: Topology, width: number): Layout {
  const { margin, gap, gutter, trunk, cardHeight, pillHeight } = sizes;
  const isWide = width >= sizes.wideFrom;
  const area = { left: margin + trunk, right: width - margin - (isWide ? gutter : 0) };
  const { host, gateway } = placeTop(topology, area);
  const bands: Band[] = [];
  let y = margin + cardHeight + pillHeight + 2 * gap;
  for (const row of rowsOf(topology, isWide)) {
    const placed = placeRow(row, topology, area, y);
    const height = Math.max(...placed.map((band) => band.height));
    // Bands of one row are equally high.
    bands.push(...placed.map((band) => ({ ...band, height })));
    y += height + gap + (row.length > 1 ? 4 : 0);
  }
  const height = y - gap + margin;
  const dmz = bands.find(({ segment }) => segment.name === floatingIpSegment);
  return {
    ...{ width, height, host, gateway, bands },
    cables: cablesOf(gateway, bands),
    arrows: arrowsOf(topology, bands, isWide ? { from: area.right, to: width - margin } : undefined),
    lost: dmz
      ? { x: Math.round(dmz.x + dmz.width / 2 - sizes.pillWidth / 2), y: dmz.y + 6 }
      : { x: gateway.x, y: gateway.y + gateway.height + 4 },
  };
}

/** Every card, by the name of its machine. */
export const cardsOf = ({ gateway, bands }: Layout): ReadonlyMap<string, Card> =>
  new Map([gateway, ...bands.flatMap(({ cards }) => cards)].map((card) => [card.machine.name, card]));

/** The floating IP sits on the upper edge of its holder, and under the gateway. */
export function pillAt(layout: Layout, holder: string | undefined): Point {
  const card = holder === undefined ? undefined : cardsOf(layout).get(holder);
  if (card === undefined) return layout.lost;
  const middle = Math.round(card.x + (card.width - sizes.pillWidth) / 2);
  const x = Math.max(0, Math.min(middle, layout.width - sizes.pillWidth));
  return { x, y: card === layout.gateway ? card.y + card.height + 4 : card.y - sizes.pillHeight + 2 };
}

interface Area {
  readonly left: number;
  readonly right: number;
}

function placeTop({ machines }: Topology, { left, right }: Area): Pick<Layout, "host" | "gateway"> {
  const { margin, cardWidth, cardHeight } = sizes;
  const machine = machines.find(({ roles }) => roles.includes("gateway")) as MachineBox;
  const room = right - left;
  const width = Math.min(cardWidth, Math.floor((room - sizes.gap) / 2));
  const x = Math.round(Math.min(left + room / 2 - width / 2, right - width));
  const gatewayX = Math.max(x, left + width + sizes.gap);
  return {
    host: { x: left, y: margin + 14, width: Math.min(132, width), height: cardHeight - 28 },
    gateway: { x: gatewayX, y: margin, width, height: cardHeight, machine, isTile: false },
  };
}

function rowsOf({ segments, machines }: Topology, isWide: boolean): readonly (readonly SegmentBox[])[] {
  const isDrawn = (name: SegmentName): boolean => machines.some(({ segment }) => segment === name);
  const rows = rowsOfBands.map((names) =>
    names.filter(isDrawn).flatMap((name) => segments.filter((each) => each.name === name)),
  );
  return (isWide ? rows : rows.flatMap((row) => row.map((each) => [each]))).filter((row) => row.length > 0);
}

function placeRow(
  row: readonly SegmentBox[],
  { machines }: Topology,
  { left, right }: Area,
  y: number,
): readonly Band[] {
  const inside = row.map(({ name }) => machines.filter(({ segment }) => segment === name));
  const [first = [], second] = inside;
  if (second === undefined) return row.map((segment) => placeBand(segment, first, { x: left, y, width: right - left }));
  const room = right - left - sizes.wideGap;
  const share = Math.min(0.62, Math.max(0.38, first.length / (first.length + second.length)));
  const width = Math.round(room * share);
  const places = [
    { x: left, y, width },
    { x: left + width + sizes.wideGap, y, width: room - width },
  ];
  return row.map((segment, index) => placeBand(segment, inside[index] ?? [], places[index] as (typeof places)[0]));
}

function placeBand(
  segment: SegmentBox,
  machines: readonly MachineBox[],
  { x, y, width }: Pick<Box, "x" | "y" | "width">,
): Band {
  const isTile = machines.length >= sizes.tilesFrom;
  const { bandPad, bandHead, gap, pillHeight } = sizes;
  const between = isTile ? 8 : gap;
  const room = width - 2 * bandPad;
  const cardWidth = Math.min(isTile ? sizes.tileWidth : sizes.cardWidth, room);
  const cardHeight = isTile ? sizes.tileHeight : sizes.cardHeight;
  // Above each row of the segment with the floating IP, there is room for it.
  const above = segment.name === floatingIpSegment ? pillHeight - 4 : 0;
  const columns = Math.max(1, Math.min(machines.length, Math.floor((room + between) / (cardWidth + between))));
  const used = columns * (cardWidth + between) - between;
  const start = x + bandPad + (isTile ? 0 : Math.floor((room - used) / 2));
  const cards = machines.map((machine, index) => ({
    ...{ machine, isTile, width: cardWidth, height: cardHeight },
    x: start + (index % columns) * (cardWidth + between),
    y: y + bandHead + above + Math.floor(index / columns) * (cardHeight + between + above),
  }));
  const bottom = Math.max(...cards.map((card) => card.y + card.height), y + bandHead);
  return { x, y, width, segment, cards, height: bottom + bandPad - y };
}

/** From the gateway along the left side, and into each segment. */
function cablesOf(gateway: Card, bands: readonly Band[]): readonly (readonly Point[])[] {
  const trunk = sizes.margin + 6;
  const from = { x: gateway.x + 16, y: gateway.y + gateway.height };
  const turn = from.y + 10;
  return bands.map((band) => {
    const start = [from, { x: from.x, y: turn }, { x: trunk, y: turn }];
    const isFirst = bands.every((other) => other.y !== band.y || other.x >= band.x);
    const y = isFirst ? band.y + 15 : band.y - 9;
    const end = isFirst
      ? [{ x: band.x, y }]
      : [
          { x: band.x + 24, y },
          { x: band.x + 24, y: band.y },
        ];
    return [...start, { x: trunk, y }, ...end];
  });
}
