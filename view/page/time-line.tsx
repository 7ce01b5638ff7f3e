import { useState } from "preact/hooks";
import { type ProbeSample, type ProbeTarget, probeTargets, type ViewEvent, type ViewState } from "../picture/state";
import {
  BUCKET_MS,
  type Bucket,
  bucketsOf,
  formatOutage,
  type Outage,
  outagesIn,
  probeWords,
  renderTimeLine,
} from "../picture/time-line";
import { clockTime } from "./event-log";
import { saveFile } from "./save-file";
import { current, useStore } from "./store";

const SECONDS = 60;
/** The newest requests have not ended yet. */
const BEHIND_MS = 1_000;
const WIDTH = (SECONDS * 1_000) / BUCKET_MS;
const HEIGHT = 64;

export function TimeLine() {
  const samples = useStore((state) => state.samples);
  const view = useStore((state) => state.view) as ViewState;
  const { events, topology } = view;
  const [held, setHeld] = useState<readonly ProbeSample[] | undefined>(undefined);
  const shown = held ?? samples;
  const newest = shown.filter(({ of }) => of === "api").at(-1)?.atMs ?? Date.now();
  const toMs = Math.floor((newest - (held ? 0 : BEHIND_MS / 4)) / BUCKET_MS) * BUCKET_MS;
  const fromMs = toMs - SECONDS * 1_000;
  const targets = probeTargets.filter((target) => target !== "volume" || topology.hasVolume);
  const lanes = targets.map((target) => {
    const period = shown.filter(({ of, atMs }) => of === target && atMs >= fromMs);
    return { target, period, outages: outagesIn(period) };
  });
  const told = lanes.flatMap(({ target, outages }) =>
    outages.map(
      (outage) => `${probeWords[target]}: ${formatOutage(outage)} without an answer at ${clockTime(outage.fromMs)}`,
    ),
  );
  return (
    <section aria-labelledby="time-line-title" class="panel time-line">
      <h2 id="time-line-title">
        Requests <small>one in 100 ms each, the last minute</small>
      </h2>
      {lanes.map(({ target, period, outages }) => (
        <Lane key={target} target={target} view={view} samples={period} {...{ outages, events, fromMs, toMs }} />
      ))}
      <p class="keys">
        <span class="key answered">answered</span> <span class="key late">late, after 300 ms</span>{" "}
        <span class="key unanswered">no answer within 1 s, or refused</span> <span class="key none">not probed</span>
      </p>
      <p class="outages" role="status">
        {told.length === 0 ? "No request without an answer in the last minute." : told.join("; ")}
      </p>
      <Tested events={events.filter(({ kind, atMs }) => kind === "test" && atMs >= fromMs)} />
      <Buttons
        stack={topology.stack}
        events={events}
        isHeld={held !== undefined}
        onHold={() => setHeld(held ? undefined : samples)}
      />
    </section>
  );
}

/** What this view has broken in the last minute, and what was measured. */
function Tested({ events }: { events: readonly ViewEvent[] }) {
  if (events.length === 0) return null;
  return (
    <ul class="events tested">
      {events.map(({ atMs, kind, of, text }) => (
        <li key={`${atMs} ${text}`} class={kind}>
          <time dateTime={new Date(atMs).toISOString()}>{clockTime(atMs)}</time> <strong>{of}</strong> {text}
        </li>
      ))}
    </ul>
  );
}

interface ButtonsProps {
  readonly stack: string;
  readonly events: readonly ViewEvent[];
  readonly isHeld: boolean;
  readonly onHold: () => void;
}

function Buttons({ stack, events, isHeld, onHold }: ButtonsProps) {
  return (
    <p class="buttons">
      <button type="button" aria-pressed={isHeld} onClick={onHold}>
        {isHeld ? "Continue" : "Hold"}
      </button>
      <button type="button" onClick={() => saveSvg(stack, events)}>
        Save as SVG
      </button>
      <button type="button" onClick={() => saveJson(stack, events)}>
        Save as JSON
      </button>
    </p>
  );
}

/** What is asked, and from where. */
function describeProbe(target: ProbeTarget, { topology, probedFrom }: ViewState): string {
  if (target === "api") return `from this host, port ${topology.hostPorts.api}`;
  if (probedFrom === "") return "not probed: no worker answers";
  if (target === "volume") return `a small file is written and read on ${probedFrom}`;
  return `the cluster's DNS at ${topology.dnsService}, from ${probedFrom}`;
}

interface LaneProps {
  readonly target: ProbeTarget;
  readonly view: ViewState;
  readonly outages: readonly Outage[];
  readonly events: readonly ViewEvent[];
  readonly samples: readonly ProbeSample[];
  readonly fromMs: number;
  readonly toMs: number;
}

const heights = { none: 3, answered: 20, late: 32, unanswered: 46 } as const;

function Lane({ target, view, outages, events, samples, fromMs, toMs }: LaneProps) {
  const buckets = bucketsOf(samples, fromMs, toMs);
  const x = (atMs: number): number => (atMs - fromMs) / BUCKET_MS;
  const count = (outcome: ProbeSample["outcome"]): number => samples.filter((each) => each.outcome === outcome).length;
  const label = `${probeWords[target]}, the last minute: ${count("answered")} answered, ${count("late")} late, ${count("unanswered")} without an answer`;
  const shown = events.filter(({ atMs }) => atMs >= fromMs && atMs <= fromMs + SECONDS * 1_000);
  return (
    <>
      <p class="lane-name">
        <strong>{probeWords[target]}</strong> {describeProbe(target, view)}
      </p>
      <svg class="lane" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {runsOf(buckets).map(({ at, length, outcome }) => (
          <rect
            key={`${at} ${outcome}`}
            class={outcome}
            x={at}
            y={HEIGHT - 8 - heights[outcome]}
            width={length}
            height={heights[outcome]}
          />
        ))}
        {outages.map(({ fromMs: start, toMs }) => (
          <rect key={start} class="outage" x={x(start)} y="2" width={Math.max(1, x(toMs) - x(start))} height="3" />
        ))}
        {shown.map(({ atMs, kind, of, text }) => (
          <line key={`${atMs} ${of} ${text}`} class={`event ${kind}`} x1={x(atMs)} x2={x(atMs)} y1="6" y2={HEIGHT}>
            <title>{`${clockTime(atMs)} ${of} ${text}`}</title>
          </line>
        ))}
      </svg>
    </>
  );
}

interface Run {
  readonly at: number;
  readonly length: number;
  readonly outcome: Bucket["outcome"];
}

/** Columns with the same outcome are one rectangle. */
function runsOf(buckets: readonly Bucket[]): readonly Run[] {
  const runs: Run[] = [];
  for (const [at, { outcome }] of buckets.entries()) {
    const last = runs.at(-1);
    if (last?.outcome === outcome) runs[runs.length - 1] = { ...last, length: last.length + 1 };
    else runs.push({ at, length: 1, outcome });
  }
  return runs;
}

const named = (stack: string, ending: string): string =>
  `${stack}-${new Date().toISOString().replace(/[:.]/g, "-")}.${ending}`;

function saveSvg(stack: string, events: readonly ViewEvent[]): void {
  saveFile(named(stack, "svg"), "image/svg+xml", renderTimeLine(`Requests to ${stack}`, current().samples, events));
}

function saveJson(stack: string, events: readonly ViewEvent[]): void {
  const { samples } = current();
  const outages = probeTargets.flatMap((of) =>
    outagesIn(samples.filter((sample) => sample.of === of)).map((outage) => ({ of, ...outage })),
  );
  const text = JSON.stringify({ stack, outages, events, samples }, null, 2);
  saveFile(named(stack, "json"), "application/json", text);
}
