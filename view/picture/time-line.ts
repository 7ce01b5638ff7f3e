import { type ProbeSample, type ProbeTarget, probeTargets, type ViewEvent } from "./state";

export const probeWords: Readonly<Record<ProbeTarget, string>> = { api: "API", service: "Service", volume: "Volume" };

/** A column of the time line is so long. */
export const BUCKET_MS = 100;

export type Outcome = ProbeSample["outcome"] | "none";

export interface Bucket {
  readonly atMs: number;
  /** The worst of its requests; `none`: no request began in it. */
  readonly outcome: Outcome;
  readonly tookMs: number;
}

export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
}

const badness: Readonly<Record<Outcome, number>> = { none: 0, answered: 1, late: 2, unanswered: 3 };

/** The columns of a period, oldest first. */
export function bucketsOf(samples: readonly ProbeSample[], fromMs: number, toMs: number): readonly Bucket[] {
  const first = Math.floor(fromMs / BUCKET_MS);
  const count = Math.max(0, Math.floor(toMs / BUCKET_MS) - first);
  const buckets: Bucket[] = Array.from({ length: count }, (_, index) => ({
    ...{ atMs: (first + index) * BUCKET_MS, outcome: "none", tookMs: 0 },
  }));
  for (const { atMs, outcome, tookMs } of samples) {
    const index = Math.floor(atMs / BUCKET_MS) - first;
    const present = buckets[index];
    if (present === undefined || badness[outcome] < badness[present.outcome]) continue;
    buckets[index] = { atMs: present.atMs, outcome, tookMs: Math.max(tookMs, present.tookMs) };
  }
  return buckets.map((bucket, index) => (bucket.outcome === "none" ? bridged(buckets, index) : bucket));
}

/** A timer that is a little late leaves a column empty, and puts two requests into the next one. */
function bridged(buckets: readonly Bucket[], index: number): Bucket {
  const bucket = buckets[index] as Bucket;
  const before = buckets[index - 1];
  const isBetween =
    before !== undefined && before.outcome !== "none" && (buckets[index + 1]?.outcome ?? "none") !== "none";
  return isBetween ? { ...before, atMs: bucket.atMs } : bucket;
}

/**
 * Periods without an answer: from the start of the last request that was answered before, to that of the first one after. One that
 * lasts has the last request as its end.
 */
export function outagesIn(samples: readonly ProbeSample[]): readonly Outage[] {
  const ordered = [...samples].sort((one, other) => one.atMs - other.atMs);
  const outages: Outage[] = [];
  let lastGoodMs = ordered[0]?.atMs ?? 0;
  let isOut = false;
  for (const { atMs, outcome } of ordered) {
    const isGood = outcome !== "unanswered";
    if (isGood && isOut) outages.push({ fromMs: lastGoodMs, toMs: atMs });
    if (isGood) lastGoodMs = atMs;
    isOut = !isGood;
  }
  if (isOut) outages.push({ fromMs: lastGoodMs, toMs: ordered.at(-1)?.atMs ?? lastGoodMs });
  return outages;
}

export const formatOutage = ({ fromMs, toMs }: Outage): string => {
  const ms = Math.round(toMs - fromMs);
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
};

const colours: Readonly<Record<Outcome, string>> = {
  none: "#d0d4d9",
  answered: "#2f8f5b",
  late: "#d98e04",
  unanswered: "#c62f3b",
};
const heights: Readonly<Record<Outcome, number>> = { none: 4, answered: 22, late: 34, unanswered: 46 };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`);

const LANE = 70;

/** The time line of a period as a file of its own, with a lane for each target that was probed. */
export function renderTimeLine(title: string, samples: readonly ProbeSample[], events: readonly ViewEvent[]): string {
  const times = samples.map(({ atMs }) => atMs);
  const fromMs = times.reduce((least, atMs) => Math.min(least, atMs), times[0] ?? 0);
  const toMs = times.reduce((most, atMs) => Math.max(most, atMs), fromMs);
  const width = Math.max(600, ((toMs - fromMs) / BUCKET_MS) * 3 + 40);
  const x = (atMs: number): number => 20 + ((atMs - fromMs) / BUCKET_MS) * 3;
  const shown = events.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const probed = probeTargets.filter((target) => samples.some(({ of }) => of === target));
  const under = 30 + probed.length * LANE;
  const height = under + 40 + shown.length * 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/><text x="20" y="20" font-weight="bold">${escaped(title)}</text>`,
    ...probed.flatMap((target, index) =>
      laneOf(
        target,
        samples.filter(({ of }) => of === target),
        { fromMs, toMs, x, y: 30 + index * LANE },
      ),
    ),
    ...shown.flatMap(({ atMs, of, text }, index) => [
      `<line x1="${x(atMs)}" y1="${under}" x2="${x(atMs)}" y2="${under + 22 + index * 16}" stroke="#555"/>`,
      `<text x="${x(atMs) + 4}" y="${under + 26 + index * 16}">${new Date(atMs).toISOString().slice(11, 23)} ${escaped(of)} ${escaped(text)}</text>`,
    ]),
    "</svg>",
    "",
  ].join("\n");
}

interface LanePlace {
  readonly fromMs: number;
  readonly toMs: number;
  readonly x: (atMs: number) => number;
  readonly y: number;
}

function laneOf(target: ProbeTarget, samples: readonly ProbeSample[], { fromMs, toMs, x, y }: LanePlace) {
  const bottom = y + LANE - 4;
  return [
    `<text x="20" y="${y + 12}">${probeWords[target]}</text>`,
    ...bucketsOf(samples, fromMs, toMs + BUCKET_MS).map(
      ({ atMs, outcome }) =>
        `<rect x="${x(atMs)}" y="${bottom - heights[outcome]}" width="2.4" height="${heights[outcome]}" fill="${colours[outcome]}"/>`,
    ),
    ...outagesIn(samples).map(
      (outage) => `<text x="${x(outage.fromMs) + 90}" y="${y + 12}">${formatOutage(outage)} without an answer</text>`,
    ),
  ];
}
