import { drawing, element, type Theme, themes, words } from "../../view/picture/drawing";

const WIDTH = 960;
const BOX = { width: 204, height: 62 };
const STEP = { x: 244, y: 116 };
const LEFT = 12;
const TOP = 64;

interface Room {
  readonly name: string;
  readonly does: string;
  readonly at: readonly [column: number, row: number];
  /** The rooms that get its data, with the name of the data. */
  readonly to: Readonly<Record<string, string>>;
}

/** The way of the data from a stack's file to machines, and who asks them. */
const rooms: readonly Room[] = [
  { name: "stack file", does: "a few lines of YAML", at: [0, 0], to: { "stacks/config": "text" } },
  { name: "stacks/config", does: "defaults and checks", at: [1, 0], to: { "stacks/plan": "keys" } },
  { name: "stacks/plan", does: "machines, addresses, disks", at: [2, 0], to: { "cloud-init": "plan" } },
  { name: "cloud-init", does: "data of the first boot", at: [3, 0], to: { components: "seeds" } },
  { name: "model", does: "tables that all rooms share", at: [0, 1], to: {} },
  { name: "cli", does: "commands; npm start", at: [1, 1], to: { engine: "" } },
  { name: "engine", does: "Pulumi: state and order", at: [2, 1], to: { provider: "resources" } },
  { name: "components", does: "the graph of resources", at: [3, 1], to: { engine: "graph" } },
  { name: "review, verify, explain", does: "view, backup: questions", at: [0, 2], to: { guests: "" } },
  { name: "guests", does: "access to nodes, by SSH", at: [1, 2], to: { host: "" } },
  { name: "provider", does: "one file for each type", at: [2, 2], to: { guests: "files", hypervisors: "machines" } },
  { name: "image", does: "root trees from pinned parts", at: [3, 3], to: { hypervisors: "images" } },
  { name: "host", does: "starts, writes, listens: alone", at: [1, 3], to: {} },
  { name: "hypervisors", does: "nspawn, QEMU, VirtualBox", at: [2, 3], to: { host: "" } },
];

/** The rooms of the project, and the data between them. */
export function drawRooms(theme: Theme): string {
  const title = "Rooms of the project, and the data between them";
  const { line, accent } = themes[theme];
  const height = TOP + 3 * STEP.y + BOX.height + 20;
  const pure = { x: 4, y: 44, width: WIDTH - 8, height: BOX.height + 32, rx: 14, fill: "none", stroke: accent };
  return drawing({ width: WIDTH, height, title, theme }, [
    words(16, 28, title, { "font-size": 15, "font-weight": 700 }),
    element("rect", { ...pure, "stroke-dasharray": "5 4" }),
    words(WIDTH - 16, 36, "pure: no clock, no files, no network", { "text-anchor": "end", fill: accent }),
    ...rooms.flatMap((room) => Object.entries(room.to).map(([to, data]) => drawWay(room, roomNamed(to), data, theme))),
    ...rooms.map((room) => drawRoom(room, theme, line)),
  ]);
}

const roomNamed = (name: string): Room => {
  const found = rooms.find((room) => room.name === name);
  if (found === undefined) throw new Error(`no room ${name}`);
  return found;
};

const cornerOf = ({ at: [column, row] }: Room) => ({ x: LEFT + column * STEP.x, y: TOP + row * STEP.y });

function drawRoom(room: Room, theme: Theme, stroke: string): string {
  const { x, y } = cornerOf(room);
  const { panel, quiet } = themes[theme];
  return element(
    "g",
    {},
    element("rect", { x, y, ...BOX, rx: 10, fill: panel, stroke }),
    words(x + 14, y + 26, room.name, { "font-weight": 700, "font-size": 14 }),
    words(x + 14, y + 46, room.does, { fill: quiet }),
  );
}

/** Between neighbours: from side to side, or from the lower edge to the upper one. */
function drawWay(from: Room, to: Room, data: string, theme: Theme): string {
  const { quiet } = themes[theme];
  const [start, end] = [cornerOf(from), cornerOf(to)];
  const isRow = from.at[1] === to.at[1];
  const isRight = end.x > start.x;
  const y = start.y + BOX.height / 2;
  const [x1, x2] = isRight ? [start.x + BOX.width, end.x - 7] : [start.x, end.x + BOX.width + 7];
  const middle = BOX.width / 2;
  const [fromX, toX] = [start.x + middle, end.x + middle];
  const line = isRow ? `M${x1} ${y} H${x2}` : `M${fromX} ${start.y + BOX.height} L${toX} ${end.y - 7}`;
  const head = isRow
    ? `M${x2} ${y - 4} l${isRight ? 7 : -7} 4 l${isRight ? -7 : 7} 4 Z`
    : `M${toX - 4} ${end.y - 7} h8 l-4 7 Z`;
  const label = isRow ? { x: (x1 + x2) / 2, y: y - 7 } : { x: (fromX + toX) / 2 + 10, y: start.y + BOX.height + 30 };
  return element(
    "g",
    { fill: quiet },
    element("path", { d: line, fill: "none", stroke: quiet, "stroke-width": 1.6 }),
    element("path", { d: head }),
    words(label.x, label.y, data, { "font-size": 11, ...(isRow && { "text-anchor": "middle" }) }),
  );
}
