import { useState } from "preact/hooks";
import type { ProbeSample, ViewEvent, ViewState } from "../picture/state";
import {
  BUCKET_MS,
  type Bucket,
  bucketsOf,
  formatOutage,
  type Outage,
  outagesIn,
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
  const { events, topology } = useStore((state) => state.view) as ViewState;
  const [isHeld, setHeld] = useState<readonly ProbeSample[] | undefined>(undefined);
  const shown = isHeld ?? samples;
  const toMs = Math.floor(((shown.at(-1)?.atMs ?? Date.now()) - (isHeld ? 0 : BEHIND_MS / 4)) / BUCKET_MS) * BUCKET_MS;
  const fromMs = toMs - SECONDS * 1_000;
  const period = shown.filter(({ atMs }) => atMs >= fromMs);
  const outages = outagesIn(period);
  return (
    <section aria-labelledby="time-line-title" class="panel time-line">
      <h2 id="time-line-title">
        Requests to the API <small>one in 100 ms, the last minute</small>
      </h2>
      <Lane
        buckets={bucketsOf(period, fromMs, toMs)}
        outages={outages}
        events={events}
        fromMs={fromMs}
        samples={period}
      />
      <p class="keys">
        <span class="key answered">answered</span> <span class="key late">late, after 300 ms</span>{" "}
        <span class="key unanswered">no answer within 1 s, or refused</span>
      </p>
      <p class="outages" role="status">
        {outages.length === 0
          ? "No request without an answer in the last minute."
          : outages
              .map((outage) => `${formatOutage(outage)} without an answer at ${clockTime(outage.fromMs)}`)
              .join("; ")}
      </p>
      <p class="buttons">
        <button type="button" aria-pressed={isHeld !== undefined} onClick={() => setHeld(isHeld ? undefined : samples)}>
          {isHeld ? "Continue" : "Hold"}
        </button>
        <button type="button" onClick={() => saveSvg(topology.stack, events)}>
          Save as SVG
        </button>
        <button type="button" onClick={() => saveJson(topology.stack, events)}>
          Save as JSON
        </button>
      </p>
    </section>
  );
}

interface LaneProps {
  readonly buckets: readonly Bucket[];
  readonly outages: readonly Outage[];
  readonly events: readonly ViewEvent[];
  readonly samples: readonly ProbeSample[];
  readonly fromMs: number;
}

const heights = { none: 3, answered: 20, late: 32, unanswered: 46 } as const;

function Lane({ buckets, outages, events, samples, fromMs }: LaneProps) {
  const x = (atMs: number): number => (atMs - fromMs) / BUCKET_MS;
  const count = (outcome: ProbeSample["outcome"]): number => samples.filter((each) => each.outcome === outcome).length;
  const label = `The last minute: ${count("answered")} answered, ${count("late")} late, ${count("unanswered")} without an answer`;
  const shown = events.filter(({ atMs }) => atMs >= fromMs && atMs <= fromMs + SECONDS * 1_000);
  return (
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
      {shown.map(({ atMs, of, text }) => (
        <line key={`${atMs} ${of} ${text}`} class="event" x1={x(atMs)} x2={x(atMs)} y1="6" y2={HEIGHT}>
          <title>{`${clockTime(atMs)} ${of} ${text}`}</title>
        </line>
      ))}
    </svg>
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
  saveFile(
    named(stack, "svg"),
    "image/svg+xml",
    renderTimeLine(`Requests to the API of ${stack}`, current().samples, events),
  );
}

function saveJson(stack: string, events: readonly ViewEvent[]): void {
  const { samples } = current();
  const text = JSON.stringify({ stack, outages: outagesIn(samples), events, samples }, null, 2);
  saveFile(named(stack, "json"), "application/json", text);
}
