import { type ProbeResult, summarizeSamples } from "../../verify/samples";

/** What `up` begins, by the clock of `performance.now`. */
export interface RollStep {
  readonly startedMs: number;
  readonly what: string;
}

const OPERATION = /^\s*\S+\s+groundplane:index:\w+ (\S+) (creating|updating|deleting)\b[^;]*(?:; (.*))?$/;

/** kubectl names each pod that it evicts. */
const ofDrain = /^(?:evicting pod |pod\/|node\/|Warning: |error when evicting )/;

/**
 * The step that a line of `pulumi up` reports. Nodes that a step only asks for something, and repeated connections to its own node, are no
 * steps.
 */
export function stepIn(line: string): string | undefined {
  const [, resource, verb, progress = ""] = OPERATION.exec(line) ?? [];
  if (resource === undefined) return undefined;
  const [, node, text] = /^([a-z0-9-]+): (?:\d\d:\d\d:\d\d )?(.*)$/.exec(progress) ?? [];
  if (node === undefined || text === undefined) return `${resource}: ${verb}`;
  if (!resource.startsWith(`${node}-`) || /^booting( \(|$)/.test(text)) return undefined;
  return `${node}: ${ofDrain.test(text) ? "draining" : text}`;
}

/** A step that is reported again has not begun again. */
export function appendStep(steps: RollStep[], line: string): void {
  const what = stepIn(line);
  if (what !== undefined && steps.at(-1)?.what !== what) steps.push({ startedMs: performance.now(), what });
}

/** Shorter gaps are the host's own: a client calls every ten milliseconds. */
const NOTICED_MS = 100;

/** Of each kind of client, by its name. */
export type Clients = Readonly<Record<string, ProbeResult>>;

/**
 * Which step of an `up` was under way when clients noticed something: lines of a table with the longest gap in the step and the errors of each
 * client. Steps in which no request failed and no gap was long have no line.
 */
export function noticedMoments(steps: readonly RollStep[], clients: Clients, startedMs: number): readonly string[] {
  const all = [{ startedMs: Number.NEGATIVE_INFINITY, what: "before the first step" }, ...steps];
  const rows = all.flatMap(({ startedMs: from, what }, index) => {
    const to = all[index + 1]?.startedMs ?? Number.POSITIVE_INFINITY;
    const seen = Object.values(clients).map((client) => seenBetween(client, from, to));
    if (seen.every((text) => text === "")) return [];
    return [[`${Math.max(0, (from - startedMs) / 1000).toFixed(1)} s`, shortened(what), ...seen]];
  });
  return rows.length === 0
    ? ["no client noticed a step"]
    : columns([["after", "step", ...Object.keys(clients)], ...rows]);
}

/** A gap belongs to the step in which it began. */
function seenBetween({ samples }: ProbeResult, from: number, to: number): string {
  const { errors } = summarizeSamples(samples.filter(({ startedMs }) => startedMs >= from && startedMs < to));
  const successes = samples.filter(({ error }) => error === undefined).map(({ startedMs }) => startedMs);
  const end = samples.at(-1)?.startedMs ?? 0;
  const gaps = successes.map((begin, index) =>
    begin >= from && begin < to ? (successes[index + 1] ?? end) - begin : 0,
  );
  const longest = Math.round(Math.max(0, ...gaps));
  const failed = Object.entries(errors).map(([error, count]) => `${count} ${error}`);
  return [...(longest >= NOTICED_MS ? [`gap ${longest} ms`] : []), ...failed].join(", ");
}

const WIDTH = 60;

const shortened = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text);

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
