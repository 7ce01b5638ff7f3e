import { pause } from "./pace";
import type { ProbeSample } from "./picture/state";
import { LATE_MS } from "./probe";
import { Silence } from "./silence";
import type { StackSource } from "./stack-source";

/** It prints five times a second (cloud-init/scripts/health/probe.sh). */
const SILENT_MS = 2_000;
/** The first line needs a connection. */
const CONNECT_MS = 5_000;
const RETRY_MS = 500;

export interface NodeProbeParts {
  readonly source: Pick<StackSource, "probe">;
  /** Machines that can be asked now, in the order of preference. */
  readonly candidates: () => readonly string[];
  readonly onSample: (sample: ProbeSample) => void;
  /** Where the requests come from; `undefined`: nothing is probed. */
  readonly onNode: (name: string | undefined) => void;
}

/** Requests to a Service and the volume, from one node until this node is silent, and then from another one. */
export async function runNodeProbe(parts: NodeProbeParts, signal: AbortSignal): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    const able = parts.candidates();
    const name = able.find((each) => each !== last) ?? able[0];
    if (name !== undefined) await probeFrom(name, parts, signal);
    last = name;
    await pause(RETRY_MS, signal);
  }
}

async function probeFrom(name: string, { source, onSample, onNode }: NodeProbeParts, signal: AbortSignal) {
  const attempt = new AbortController();
  const silence = new Silence(SILENT_MS, { onSilent: () => attempt.abort(), onHeard: () => undefined });
  silence.expect(CONNECT_MS);
  let isHeard = false;
  const onLine = (line: string): void => {
    if (attempt.signal.aborted) return;
    silence.heard();
    if (!isHeard) onNode(name);
    isHeard = true;
    const sample = sampleIn(line, Date.now());
    if (sample) onSample(sample);
  };
  await source.probe(name, onLine, AbortSignal.any([signal, attempt.signal])).catch(() => undefined);
  silence.stop();
  if (isHeard) onNode(undefined);
}

/** `service AGE TOOK` or `volume AGE TOOK`; the clocks of host and machine need not agree. */
export function sampleIn(line: string, nowMs: number): ProbeSample | undefined {
  const [, of, age, took] = /^(service|volume) (\d{1,6}) (\d{1,6}|-)$/.exec(line) ?? [];
  if (of !== "service" && of !== "volume") return undefined;
  const tookMs = took === "-" ? 0 : Number(took);
  const outcome = took === "-" ? "unanswered" : tookMs > LATE_MS ? "late" : "answered";
  return { of, atMs: nowMs - Number(age), outcome, tookMs };
}
