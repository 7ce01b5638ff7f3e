import type { Timeline, VerifyReport } from "../model/contract-report";
import { summarizeSamples } from "./samples";

const WIDTH = 1_000;
const LEFT = 190;
const RIGHT = 90;
const LANE = 34;
const TOP = 40;
const BEFORE_MS = 1_000;
const AFTER_MS = 5_000;

interface Lane {
  readonly name: string;
  readonly timeline: Timeline;
}

/** The worst round of each fault as a lane: successful requests green, failed ones red, from one second before the fault. */
export function renderTimeline(report: VerifyReport): string {
  const lanes = report.faults.flatMap(({ name, worst }): Lane[] => (worst ? [{ name, timeline: worst }] : []));
  const height = TOP + lanes.length * LANE + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...scale(height),
    ...lanes.flatMap(renderLane),
    "</svg>",
    "",
  ].join("\n");
}

/** Horizontal position of a time, in ms since the fault. */
const x = (milliseconds: number): number =>
  Number((LEFT + ((milliseconds + BEFORE_MS) / (BEFORE_MS + AFTER_MS)) * (WIDTH - LEFT - RIGHT)).toFixed(1));

function scale(height: number): string[] {
  const seconds = Array.from({ length: (BEFORE_MS + AFTER_MS) / 1_000 + 1 }, (_, index) => index - BEFORE_MS / 1_000);
  return seconds.flatMap((second) => [
    `<line x1="${x(second * 1_000)}" y1="${TOP - 8}" x2="${x(second * 1_000)}" y2="${height}" stroke="${second === 0 ? "#555" : "#ddd"}"/>`,
    `<text x="${x(second * 1_000)}" y="${TOP - 14}" text-anchor="middle">${second === 0 ? "fault" : `${second} s`}</text>`,
  ]);
}

function renderLane({ name, timeline }: Lane, index: number): string[] {
  const y = TOP + index * LANE;
  const { longestGapMs } = summarizeSamples(timeline.samples);
  return [
    `<text x="8" y="${y + 14}">${name}</text><text x="8" y="${y + 27}" fill="#777" font-size="10">${timeline.of}</text>`,
    ...bands(timeline).map(
      ({ fromMs, toMs, good }) =>
        `<rect x="${x(fromMs)}" y="${y + 4}" width="${Math.max(0.8, x(toMs) - x(fromMs)).toFixed(1)}" height="${LANE - 14}" fill="${good ? "#3a9d5d" : "#d64545"}"/>`,
    ),
    `<text x="${WIDTH - RIGHT + 8}" y="${y + 18}">${longestGapMs} ms</text>`,
  ];
}

interface Band {
  readonly fromMs: number;
  toMs: number;
  readonly good: boolean;
}

/** Merges consecutive requests with the same outcome into one band, which lasts until the next band. */
function bands({ samples, faultMs }: Timeline): readonly Band[] {
  const shown = samples
    .map(({ startedMs, error }) => ({ atMs: startedMs - faultMs, good: error === undefined }))
    .filter(({ atMs }) => atMs >= -BEFORE_MS && atMs <= AFTER_MS);
  const all: Band[] = [];
  for (const { atMs, good } of shown) {
    const last = all.at(-1);
    if (last) last.toMs = atMs;
    if (last?.good !== good) all.push({ fromMs: atMs, toMs: atMs, good });
  }
  return all;
}
