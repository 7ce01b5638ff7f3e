import type { FaultReport } from "../model/contract-report";
import { UserError } from "../model/user-error";
import { type ChosenFault, chosenFault, describeFigure, measuredFigures } from "./offered-faults";
import type { FaultOrder, FaultRun, OfferedFault, ViewEvent } from "./picture/state";

export interface FaultListener {
  /** The moment in which a machine breaks. */
  readonly onBroken: (of: string) => void;
  /** The measurement has ended. */
  readonly onRestoring: () => void;
}

export interface FaultParts {
  readonly offered: readonly OfferedFault[];
  /** Why no fault may be injected now; empty: faults may be. */
  readonly refused: () => Promise<string>;
  /** Injects a fault, measures, and restores the stack, also when the signal aborts. */
  readonly run: (chosen: ChosenFault, signal: AbortSignal, listener: FaultListener) => Promise<FaultReport>;
}

/** What the page learns. */
export interface RunListener {
  readonly runs: (runs: readonly FaultRun[]) => void;
  readonly refused: (reason: string) => void;
  readonly event: (event: ViewEvent) => void;
}

/** The answer to an order, as HTTP has it. */
export interface OrderAnswer {
  readonly status: 202 | 400 | 409;
  readonly text: string;
}

const KEPT_RUNS = 20;

const oneAtATime = "a fault has not ended: only one at a time is injected";

const ended = new Error("it was ended early, and everything is put back");

const describeFailure = (error: unknown): string =>
  error instanceof UserError ? `${error.problem}. Next step: ${error.hint}` : (error as Error).message;

/** Injects faults, one at a time, and remembers what was measured. */
export class FaultRuns {
  private runs: readonly FaultRun[] = [];
  private running: { readonly end: AbortController; readonly done: Promise<void> } | undefined;
  private isAsking = false;
  private closed = false;

  constructor(
    private readonly parts: FaultParts,
    private readonly listener: RunListener,
    private readonly now: () => number = Date.now,
  ) {}

  async order(order: FaultOrder): Promise<OrderAnswer> {
    const chosen = chosenFault(this.parts.offered, order);
    if (chosen === undefined) return { status: 400, text: "this stack has no such fault on such a machine" };
    // Between the question and the start, no other order may pass.
    if (this.isAsking || this.isRunning) return { status: 409, text: oneAtATime };
    this.isAsking = true;
    try {
      const refused = await this.parts.refused();
      this.listener.refused(refused);
      if (refused !== "") return { status: 409, text: refused };
      if (this.closed) return { status: 409, text: "the view is ending" };
      this.start(order, chosen);
      return { status: 202, text: "the fault will be injected" };
    } finally {
      this.isAsking = false;
    }
  }

  /** Ends the fault that is injected now, and waits until the stack is restored. */
  async end(): Promise<void> {
    const running = this.running;
    running?.end.abort(ended);
    await running?.done;
  }

  /** As `end`, asked for on the page. */
  orderEnd({ fault }: FaultOrder): OrderAnswer {
    if (!this.isRunning || this.runs.at(-1)?.fault !== fault)
      return { status: 409, text: `${fault} has ended already` };
    void this.end();
    return { status: 202, text: "the fault ends, and everything is put back" };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.end();
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  private start(order: FaultOrder, chosen: ChosenFault): void {
    const end = new AbortController();
    const run: FaultRun = {
      ...{ ...order, phase: "preparing", askedMs: this.now(), of: order.machine ?? "", figures: [], failed: "" },
    };
    this.runs = [...this.runs, run].slice(-KEPT_RUNS);
    this.listener.runs(this.runs);
    this.event(order.fault, "is asked for on the page");
    this.running = { end, done: this.follow(chosen, end.signal) };
  }

  private async follow(chosen: ChosenFault, signal: AbortSignal): Promise<void> {
    const { name, what } = chosen.fault;
    const broken: string[] = [];
    try {
      const report = await this.parts.run(chosen, signal, {
        onBroken: (of) => {
          broken.push(of);
          this.change({ phase: "broken", of: broken.join(", "), brokenMs: this.now() });
          this.event(name, `begins on ${of}${chosen.machine === undefined ? `: ${what}` : ""}`);
        },
        onRestoring: () => this.change({ phase: "restoring" }),
      });
      const figures = measuredFigures(report);
      const failed = report.broken ?? report.failed ?? report.skipped ?? "";
      for (const figure of figures) this.event(name, `measured ${describeFigure(figure)}`);
      this.change({ phase: "ended", figures, failed });
      this.event(
        name,
        report.broken === undefined ? "has ended: everything is put back" : `is not put back: ${failed}`,
      );
    } catch (error) {
      this.change({ phase: "ended", failed: describeFailure(error) });
      this.event(name, `has ended without figures: ${describeFailure(error)}`);
    } finally {
      this.running = undefined;
    }
  }

  private change(part: Partial<FaultRun>): void {
    const last = this.runs.at(-1) as FaultRun;
    this.runs = [...this.runs.slice(0, -1), { ...last, ...part }];
    this.listener.runs(this.runs);
  }

  private event(of: string, text: string): void {
    this.listener.event({ atMs: this.now(), kind: "test", of, text });
  }
}
