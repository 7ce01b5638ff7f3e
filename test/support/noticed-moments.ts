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

/** On a busy host most steps have a gap. */
const MOST_ROWS = 20;

/** The name of the client of a Service. */
export const SERVICE = "Service";

/** Of each kind of client, by its name. */
export type Clients = Readonly<Record<string, ProbeResult>>;

interface Moment {
  readonly cells: readonly string[];
  readonly failed: number;
  /** None should fail, so each is shown. */
  readonly isServiceFailed: boolean;
  readonly longestGapMs: number;
}

/**
 * Which step of an `up` was under way when clients noticed something: lines of a table with the longest gap in the step and the errors of each
 * client. Of many steps it has those with the longest gaps. A client that sent nothing in a gap was itself delayed, by a busy host.
 */
export function noticedMoments(steps: readonly RollStep[], clients: Clients, startedMs: number): readonly string[] {
  const all = [{ startedMs: Number.NEGATIVE_INFINITY, what: "before the first step" }, ...steps];
  const moments = all.flatMap(({ startedMs: from, what }, index): Moment[] => {
    const to = all[index + 1]?.startedMs ?? Number.POSITIVE_INFINITY;
    const seen = Object.values(clients).map((client) => seenBetween(client, from, to));
    const failed = seen.reduce((sum, one) => sum + one.failed, 0);
    const isServiceFailed = Object.keys(clients).some((name, at) => name === SERVICE && (seen[at]?.failed ?? 0) > 0);
    const longestGapMs = Math.max(...seen.map((one) => one.longestGapMs));
    if (failed === 0 && longestGapMs < NOTICED_MS) return [];
    const after = `${Math.max(0, (from - startedMs) / 1000).toFixed(1)} s`;
    return [
      { cells: [after, shortened(what), ...seen.map(({ text }) => text)], failed, isServiceFailed, longestGapMs },
    ];
  });
  if (moments.length === 0) return ["no client noticed a step"];
  const least = moments.map(({ longestGapMs }) => longestGapMs).sort((one, other) => other - one)[MOST_ROWS - 1] ?? 0;
  const shown = moments.filter(({ isServiceFailed, longestGapMs }) => isServiceFailed || longestGapMs >= least);
  const others = moments.filter((moment) => !shown.includes(moment));
  const lines = columns([["after", "step", ...Object.keys(clients)], ...shown.map(({ cells }) => cells)]);
  if (others.length === 0) return lines;
  const failed = others.reduce((sum, one) => sum + one.failed, 0);
  return [...lines, `${others.length} more steps with shorter gaps, in which ${failed} requests failed`];
}

interface Gap {
  readonly begin: number;
  readonly end: number;
}

const longest = (gaps: readonly Gap[]): Gap =>
  gaps.reduce((most, gap) => (gap.end - gap.begin > most.end - most.begin ? gap : most), { begin: 0, end: 0 });

/** The longest time without a response that began between two moments. */
export const longestGapBetween = (client: ProbeResult, from: number, to: number): number =>
  seenBetween(client, from, to).longestGapMs;

/** A gap belongs to the step in which it began. */
function seenBetween({ samples }: ProbeResult, from: number, to: number) {
  const { errors, failed } = summarizeSamples(samples.filter(({ startedMs }) => startedMs >= from && startedMs < to));
  const successes = samples.filter(({ error }) => error === undefined).map(({ startedMs }) => startedMs);
  const end = samples.at(-1)?.startedMs ?? 0;
  const gaps = successes.map((begin, index): Gap => ({ begin, end: successes[index + 1] ?? end }));
  const { begin, end: next } = longest(gaps.filter(({ begin: at }) => at >= from && at < to));
  const longestGapMs = Math.round(next - begin);
  // A busy host delays the clients as well.
  const sent = samples.filter(({ startedMs: at }) => at >= begin && at <= next).map(({ startedMs: at }) => at);
  const silence = longest(sent.slice(1).map((at, index): Gap => ({ begin: sent[index] ?? at, end: at })));
  const silentMs = Math.round(silence.end - silence.begin);
  const unsent = silentMs >= NOTICED_MS ? ` (${silentMs} ms without a request)` : "";
  const reasons = Object.entries(errors).map(([error, count]) => `${count} ${error}`);
  const text = [...(longestGapMs >= NOTICED_MS ? [`gap ${longestGapMs} ms${unsent}`] : []), ...reasons].join(", ");
  return { text, failed, longestGapMs };
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
