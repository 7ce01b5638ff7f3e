import type { Band, Box, Card, Point } from "./boxes";
import { drawing, element, type Theme, themes, words } from "./drawing";
import { cardsOf, type Layout, layOut, pillAt, sizes } from "./layout";
import type { Topology } from "./state";

const WIDTH = 960;

/** The planned data centre as an SVG file. The first balancer is shown with the floating IP, which moves. */
export function drawTopology(topology: Topology, theme: Theme): string {
  const layout = layOut(topology, WIDTH);
  const { machines, stack } = topology;
  const holder = machines.find(({ roles }) => roles.includes("balancer"))?.name;
  const title = `The data centre ${stack}: ${machines.map(({ name }) => name).join(", ")}`;
  return drawing({ width: WIDTH, height: layout.height, title, theme }, [
    ...layout.cables.map((points) =>
      element("path", { d: lineOf(points), fill: "none", stroke: themes[theme].line, "stroke-width": 3 }),
    ),
    ...layout.bands.map((band) => drawBand(band, theme)),
    ...drawRequests(layout, holder, theme),
    ...drawArrows(layout, theme),
    drawHost(layout.host, topology, theme),
    ...[...cardsOf(layout).values()].map((card) => drawCard(card, theme)),
    drawFloatingIp(pillAt(layout, holder), topology, theme),
  ]);
}

const lineOf = (points: readonly Point[]): string =>
  points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join(" ");

const curve = (from: Point, to: Point): string => {
  const middle = (from.y + to.y) / 2;
  return `M${from.x} ${from.y} C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
};

const frame = ({ x, y, width, height }: Box, theme: Theme, fill: "page" | "panel", rx: number): string =>
  element("rect", { x, y, width, height, rx, fill: themes[theme][fill], stroke: themes[theme].line });

function drawBand(band: Band, theme: Theme): string {
  const { x, y, segment } = band;
  const bold = { "font-weight": 700, "font-size": 13 };
  const name = words(x + 14, y + 20, segment.name, bold);
  const cidr = words(x + 24 + segment.name.length * 8, y + 20, segment.cidr, { fill: themes[theme].quiet });
  return element("g", {}, frame(band, theme, "page", 12), name, cidr);
}

/** The way of a request: this host, the gateway, the floating IP with its holder, the masters. */
function drawRequests(layout: Layout, holder: string | undefined, theme: Theme): readonly string[] {
  const { host, gateway } = layout;
  const cards = cardsOf(layout);
  const from = holder === undefined ? undefined : cards.get(holder);
  const pill = pillAt(layout, holder);
  const y = host.y + host.height / 2;
  const way = [
    { x: host.x + host.width, y },
    { x: gateway.x, y },
  ];
  const under = { x: gateway.x + gateway.width / 2, y: gateway.y + gateway.height };
  const masters = [...cards.values()].filter(
    ({ machine }) => machine.roles.includes("master") && machine !== from?.machine,
  );
  const fromHolder = from === undefined ? [] : masters.map((card) => wayTo(from, card, masters));
  const toPill = curve(under, { x: pill.x + sizes.pillWidth / 2, y: pill.y });
  return [lineOf(way), toPill, ...fromHolder].map((d) =>
    element("path", { d, fill: "none", stroke: themes[theme].accent, "stroke-width": 2, opacity: 0.75 }),
  );
}

/** To the upper edge of a machine; to its side, where another machine is above it or the holder is beside it. */
function wayTo(from: Card, card: Card, others: readonly Card[]): string {
  const side = { x: card.x, y: card.y + card.height / 2 };
  if (from.y === card.y) return lineOf([{ x: from.x + from.width, y: side.y }, side]);
  const start = { x: from.x + from.width / 2, y: from.y < card.y ? from.y + from.height : from.y };
  const above = others.find(({ x, y }) => x === card.x && y < card.y);
  if (above === undefined)
    return curve(start, { x: card.x + card.width / 2, y: from.y < card.y ? card.y : card.y + card.height });
  const left = { x: card.x - 18, y: above.y };
  return `${curve(start, left)} L${left.x} ${side.y} L${side.x} ${side.y}`;
}

function drawArrows({ arrows }: Layout, theme: Theme): readonly string[] {
  const { quiet } = themes[theme];
  return arrows.map(({ title, label, points, labelAt }) => {
    const [before, end] = points.slice(-2) as [Point, Point];
    const back = end.x > before.x ? -7 : 7;
    return element(
      "g",
      { fill: quiet },
      element("title", {}, title),
      element("path", { d: lineOf(points), fill: "none", stroke: quiet, "stroke-width": 1.4 }),
      element("path", { d: `M${end.x} ${end.y} l${back} -4 l0 8 Z` }),
      words(labelAt.x, labelAt.y, label, { "text-anchor": points.length === 2 ? "middle" : "start" }),
    );
  });
}

function drawHost(host: Box, { hostPorts }: Topology, theme: Theme): string {
  const { x, y, width, height } = host;
  const { line, panel, quiet } = themes[theme];
  return element(
    "g",
    { fill: quiet },
    element("rect", { x, y, width, height, rx: 10, fill: panel, stroke: line, "stroke-dasharray": "4 3" }),
    words(x + 12, y + 22, "this host", { "font-weight": 700, "font-size": 13, fill: themes[theme].text }),
    words(x + 12, y + 41, `API :${hostPorts.api}`),
    words(x + 12, y + 58, `SSH :${hostPorts.ssh}`),
  );
}

const ROLES_IN_LINE = 3;

function drawCard(card: Card, theme: Theme): string {
  const { machine, x, y, isTile } = card;
  if (isTile)
    return element("g", {}, frame(card, theme, "panel", 6), words(x + 9, y + 24, machine.name, { "font-size": 10.5 }));
  const { quiet } = themes[theme];
  const lines = [machine.roles.slice(0, ROLES_IN_LINE), machine.roles.slice(ROLES_IN_LINE)]
    .filter((roles) => roles.length > 0)
    .map((roles) => roles.join(" · "));
  const { cpus, memoryMiB, disks } = machine;
  const size = `${cpus} ${cpus === 1 ? "CPU" : "CPUs"}, ${memoryMiB} MiB`;
  return element(
    "g",
    { fill: quiet },
    frame(card, theme, "panel", 10),
    words(x + 14, y + 22, machine.name, { "font-weight": 700, "font-size": 14, fill: themes[theme].text }),
    ...[...lines, machine.address, size, ...disks]
      .slice(0, LINES)
      .map((line, index) => words(x + 14, y + 40 + index * 16, line, { "font-size": 11.5 })),
  );
}

/** More do not fit into a card. */
const LINES = 4;

function drawFloatingIp({ x, y }: Point, { floatingIp }: Topology, theme: Theme): string {
  const { accent, "accent-text": fill } = themes[theme];
  const { pillWidth: width, pillHeight: height } = sizes;
  const text = { "text-anchor": "middle", "font-weight": 700, fill };
  return element(
    "g",
    {},
    element("rect", { x, y, width, height, rx: height / 2, fill: accent }),
    words(x + width / 2, y + 16, `API ${floatingIp}`, text),
  );
}
