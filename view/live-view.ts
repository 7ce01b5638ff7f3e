import { setMaxListeners } from "node:events";
import type { EventStream } from "./event-stream";
import { runNodeProbe } from "./node-probe";
import { pause } from "./pace";
import { withEvents, withParts } from "./picture/changes";
import { conditionOf } from "./picture/condition";
import {
  leaderships,
  type OfferedFault,
  type ProbeSample,
  type Shown,
  type Topology,
  type ViewEvent,
  type ViewState,
} from "./picture/state";
import { startProbe } from "./probe";
import { Silence } from "./silence";
import type { StackSource } from "./stack-source";
import { StackWatch } from "./stack-watch";

export interface LiveParts {
  readonly topology: Topology;
  readonly source: StackSource;
  readonly ask: Parameters<typeof startProbe>[0];
  /** What the page can break. */
  readonly faults?: Breakable;
}

export interface Breakable {
  readonly offered: readonly OfferedFault[];
  /** Why nothing can be broken; empty: it can. */
  readonly refused: string;
}

const nothing: Breakable = { offered: [], refused: "this view changes nothing" };

/** A page that opens gets the samples of so many seconds. */
const KEPT_SAMPLES = 3_600;
const SAMPLES_MS = 250;
/** The probe asks ten times a second. Nothing that the API told is known any more after so long without an answer. */
const API_SILENT_MS = 700;
/** A page that is loaded again must not begin from nothing. */
const LINGER_MS = 20_000;

/** What all open pages share. The stack is asked while a page is open. */
export class LiveView {
  private readonly pages = new Set<EventStream>();
  private state: ViewState;
  private samples: ProbeSample[] = [];
  private fresh: ProbeSample[] = [];
  private running: { readonly end: AbortController; readonly done: Promise<unknown> } | undefined;
  private linger: NodeJS.Timeout | undefined;
  private closed = false;
  private isApiOut = false;
  /** Called when no page has been open for some time. */
  onLeft = (): void => {};

  constructor(private readonly parts: LiveParts) {
    this.state = emptyState(parts.topology, parts.source.driver, parts.faults);
  }

  join(page: EventStream): void {
    // A page whose stream has ended connects again, maybe before the server is closed.
    if (this.closed) {
      page.end();
      return;
    }
    clearTimeout(this.linger);
    this.pages.add(page);
    page.send("state", { state: this.state, samples: this.samples.slice(-KEPT_SAMPLES) });
    this.running ??= this.start();
  }

  leave(page: EventStream): void {
    this.pages.delete(page);
    // Streams that `close` ends leave later, and must not keep this process.
    if (this.pages.size === 0 && this.running) this.linger = setTimeout(() => this.leaveAlone(), LINGER_MS);
  }

  /** Also beside what is observed: what a user does on the page. */
  note(event: ViewEvent): void {
    this.state = withEvents(this.state, [event]);
    this.send("events", [event]);
  }

  send(event: string, data: unknown): void {
    for (const page of this.pages) page.send(event, data);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.linger);
    for (const page of this.pages) page.end();
    await this.stop();
    await this.parts.source.close();
  }

  private start(): NonNullable<typeof this.running> {
    const end = new AbortController();
    // Each machine waits for it.
    setMaxListeners(0, end.signal);
    const { topology, source, ask } = this.parts;
    const watch = new StackWatch(topology.stack, source, {
      parts: (parts) => this.show(parts),
      events: (events) => {
        this.state = withEvents(this.state, events);
        this.send("events", events);
      },
    });
    const api = new Silence(API_SILENT_MS, {
      onSilent: () => watch.apiSilent(`the API has not answered for ${API_SILENT_MS / 1_000} s`),
      onHeard: () => watch.reconnect(),
    });
    const probe = startProbe(ask, (sample) => this.take(sample, watch, api));
    const flush = setInterval(() => this.flush(), SAMPLES_MS);
    const done = Promise.all([watch.run(end.signal), this.probeFromNode(end.signal)]).finally(() => {
      probe.stop();
      api.stop();
      clearInterval(flush);
    });
    return { end, done };
  }

  private async probeFromNode(signal: AbortSignal): Promise<void> {
    const workers = this.parts.topology.machines.filter(({ roles }) => roles.includes("worker"));
    const isAble = (name: string): boolean => !["asking", "down", "silent"].includes(conditionOf(this.state, { name }));
    await runNodeProbe(
      {
        source: this.parts.source,
        candidates: () => workers.map(({ name }) => name).filter(isAble),
        onSample: (sample) => this.keep(sample),
        onNode: (name = "") => this.show({ probedFrom: name }),
      },
      signal,
    );
  }

  private leaveAlone(): void {
    this.onLeft();
    void this.stop();
  }

  show(parts: Partial<Shown>): void {
    this.state = withParts(this.state, parts);
    this.send("parts", parts);
  }

  private async stop(): Promise<void> {
    const running = this.running;
    this.running = undefined;
    running?.end.abort();
    // A question that is under way has its own end.
    await Promise.race([running?.done, pause(1_000, AbortSignal.timeout(1_000))]);
  }

  private take(sample: ProbeSample, watch: StackWatch, api: Silence): void {
    if (sample.outcome !== "unanswered") api.heard();
    if (this.isApiOut && sample.outcome !== "unanswered") watch.reconnect();
    this.isApiOut = sample.outcome === "unanswered";
    this.keep(sample);
  }

  private keep(sample: ProbeSample): void {
    this.samples.push(sample);
    // Not for each: thirty come in a second.
    if (this.samples.length > 2 * KEPT_SAMPLES) this.samples = this.samples.slice(-KEPT_SAMPLES);
    this.fresh.push(sample);
  }

  private flush(): void {
    if (this.fresh.length > 0) this.send("samples", this.fresh);
    this.fresh = [];
  }
}

export function emptyState(topology: Topology, driver: string, { offered, refused } = nothing): ViewState {
  const { machines } = topology;
  return {
    ...{ topology, driver, askedAt: "", healthy: false, checks: [], holders: [], leaders: {}, cordoned: [], pods: [] },
    unknown: ["floating-ip", ...leaderships, "nodes", "pods"],
    machines: machines.map(({ name }) => ({ name, power: "running", ready: false, reason: "not asked yet" })),
    api: { endpoint: `https://127.0.0.1:${topology.hostPorts.api}`, ready: false, reason: "not asked yet" },
    events: [],
    ...{ probedFrom: "", faults: offered, faultsRefused: refused, runs: [] },
  };
}
