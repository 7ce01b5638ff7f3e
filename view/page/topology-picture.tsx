import { useEffect, useRef, useState } from "preact/hooks";
import type { Band, Point } from "../picture/boxes";
import { conditionOf } from "../picture/condition";
import { cardsOf, type Layout, layOut, pillAt, sizes } from "../picture/layout";
import type { ViewState } from "../picture/state";
import { MachineCard } from "./machine-card";
import { useStore } from "./store";

export function TopologyPicture() {
  const view = useStore((state) => state.view) as ViewState;
  const selected = useStore((state) => state.selected);
  const [frame, width] = useWidth();
  const layout = layOut(view.topology, width);
  return (
    <section aria-label="Topology" class="topology" ref={frame}>
      <h2 class="hidden">Topology</h2>
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing has no other element */}
      <svg
        viewBox={`0 0 ${width} ${layout.height}`}
        width={width}
        height={layout.height}
        role="group"
        aria-label="Machines"
      >
        <Cables layout={layout} />
        {layout.bands.map((band) => (
          <BandFrame key={band.segment.name} band={band} />
        ))}
        <Requests layout={layout} view={view} />
        <Arrows layout={layout} />
        <HostBox layout={layout} view={view} />
        {[...cardsOf(layout).values()].map((card) => (
          <MachineCard key={card.machine.name} card={card} view={view} isSelected={selected === card.machine.name} />
        ))}
        <FloatingIp layout={layout} view={view} />
      </svg>
    </section>
  );
}

const FIRST_WIDTH = 960;

/** The width of the element, as it changes. */
function useWidth() {
  const frame = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(FIRST_WIDTH);
  useEffect(() => {
    const { current } = frame;
    if (current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(300, Math.floor(entry.contentRect.width)));
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [frame, width] as const;
}

const lineOf = (points: readonly Point[]): string =>
  points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join(" ");

function Cables({ layout }: { layout: Layout }) {
  return (
    <g class="cables">
      {layout.cables.map((points) => (
        <path key={lineOf(points)} d={lineOf(points)} />
      ))}
    </g>
  );
}

function BandFrame({ band }: { band: Band }) {
  const { x, y, width, height, segment } = band;
  return (
    <g class="band">
      <rect x={x} y={y} width={width} height={height} rx="12" />
      <text x={x + 14} y={y + 20}>
        <tspan class="name">{segment.name}</tspan>
        <tspan class="cidr" dx="8">
          {segment.cidr}
        </tspan>
      </text>
    </g>
  );
}

const curve = (from: Point, to: Point): string => {
  const middle = (from.y + to.y) / 2;
  return `M${from.x} ${from.y} C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
};

/** The way of a request: this host, the gateway, the floating IP with its holder, the masters. */
function Requests({ layout, view }: { layout: Layout; view: ViewState }) {
  const { host, gateway } = layout;
  const cards = cardsOf(layout);
  const [holder] = view.holders;
  const pill = pillAt(layout, holder);
  const way = [
    { x: host.x + host.width, y: host.y + host.height / 2 },
    { x: gateway.x, y: host.y + host.height / 2 },
  ];
  const under = { x: gateway.x + gateway.width / 2, y: gateway.y + gateway.height };
  const from = holder === undefined ? undefined : cards.get(holder);
  const masters = [...cards.values()].filter(
    ({ machine }) => machine.roles.includes("master") && machine.name !== holder,
  );
  return (
    <g class="requests">
      <path d={lineOf(way)} />
      <path
        class={holder === undefined ? "broken" : ""}
        d={curve(under, { x: pill.x + sizes.pillWidth / 2, y: pill.y })}
      />
      {from !== undefined &&
        masters.map((card) => (
          <path
            key={card.machine.name}
            class={conditionOf(view, card.machine) === "down" ? "broken" : ""}
            d={curve(
              { x: from.x + from.width / 2, y: from.y + from.height },
              { x: card.x + card.width / 2, y: from.y < card.y ? card.y : card.y + card.height },
            )}
          />
        ))}
    </g>
  );
}

function Arrows({ layout }: { layout: Layout }) {
  return (
    <g class="arrows">
      <defs>
        <marker
          id="head"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto-start-reverse"
        >
          <path d="M0 0 L8 4 L0 8 Z" />
        </marker>
      </defs>
      {layout.arrows.map(({ title, label, points, labelAt }) => (
        <g key={title}>
          <title>{title}</title>
          <path d={lineOf(points)} marker-end="url(#head)" />
          <text x={labelAt.x} y={labelAt.y} text-anchor={points.length === 2 ? "middle" : "start"}>
            {label}
          </text>
        </g>
      ))}
    </g>
  );
}

function HostBox({ layout: { host }, view: { topology, api } }: { layout: Layout; view: ViewState }) {
  const { x, y, width, height } = host;
  return (
    <g class="host">
      <title>{`This host reaches the API at ${api.endpoint}`}</title>
      <rect x={x} y={y} width={width} height={height} rx="10" />
      <text x={x + 12} y={y + 22} class="name">
        this host
      </text>
      <text x={x + 12} y={y + 41}>{`API :${topology.hostPorts.api}`}</text>
      <text x={x + 12} y={y + 58}>{`SSH :${topology.hostPorts.ssh}`}</text>
    </g>
  );
}

/** Where no holder is shown. */
const missing = {
  none: { kind: "lost", label: "floating IP: no holder", title: "no machine holds it" },
  unknown: { kind: "lost", label: "floating IP: not known", title: "it is not known which machine holds it" },
};

function FloatingIp({ layout, view: { holders, topology, askedAt, unknown } }: { layout: Layout; view: ViewState }) {
  const places = holders.length === 0 ? [undefined] : holders;
  const isMissing = holders.length === 0 && askedAt !== "";
  const why = isMissing ? missing[unknown.includes("floating-ip") ? "unknown" : "none"] : undefined;
  const kind = why?.kind ?? (holders.length > 1 ? "doubled" : "");
  return (
    <g>
      {places.map((holder, index) => {
        const { x, y } = pillAt(layout, holder);
        return (
          // The first keeps its identity when it moves, so that it is seen to move.
          <g key={`holder-${index}`} class={`pill ${kind}`} style={{ transform: `translate(${x}px, ${y}px)` }}>
            <title>{`The floating IP ${topology.floatingIp}, port ${topology.apiPort}: ${why?.title ?? "requests to the API go where it is"}`}</title>
            <rect width={sizes.pillWidth} height={sizes.pillHeight} rx={sizes.pillHeight / 2} />
            <text x={sizes.pillWidth / 2} y="16" text-anchor="middle">
              {why?.label ?? `API ${topology.floatingIp}`}
            </text>
          </g>
        );
      })}
    </g>
  );
}
