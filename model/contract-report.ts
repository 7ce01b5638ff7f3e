/** Where a figure comes from: figures of different commits are not compared, or shown in one table. */
export interface MeasuredAt {
  /** Full commit of the sources, `-dirty` when they differ from it; absent outside a git checkout. */
  readonly commit?: string;
  /** ISO 8601, before the first measurement. */
  readonly date: string;
  /** Load average of the host per core, before the first measurement; a busy host makes times too long. Absent: not recorded. */
  readonly load?: number;
}

/** What `npx groundplane verify` reports; its JSON has this shape. */

export interface FaultReport {
  readonly name: string;
  readonly what: string;
  /** Why the fault does not apply to this stack. Nothing was measured. */
  readonly skipped?: string;
  /** Why a round failed. Results cover the rounds before it. */
  readonly failed?: string;
  /** What did not recover after the fault. No further fault is injected. */
  readonly broken?: string;
  readonly results: readonly MeasureResult[];
  /** The round with the longest outage. */
  readonly worst?: Timeline;
}

export interface VerifyReport extends MeasuredAt {
  readonly stack: string;
  readonly driver: string;
  readonly movedBy: string;
  /** What forwards to the masters; absent: HAProxy. */
  readonly balancer?: string;
  readonly rounds: number;
  /** How long `saturation` lasted. */
  readonly minutes: number;
  readonly faults: readonly FaultReport[];
  /** Whether every target was met. */
  readonly met: boolean;
}

/** One figure of the contract: what is measured in each round of a fault, and its upper limit. */
export interface Measure {
  /** Unique within its fault, e.g. `api-gap`. */
  readonly name: string;
  readonly what: string;
  readonly unit: "ms" | "times";
  /** Upper limit for the 95th percentile of the rounds; absent: reported only. */
  readonly target?: number;
}

export interface MeasureResult extends Measure {
  readonly fault: string;
  readonly rounds: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** `undefined`: the measure has no target and is reported only. */
  readonly met: boolean | undefined;
}

/** One request as a client saw it. Times are in ms of one monotonic clock. */
export interface Sample {
  readonly startedMs: number;
  readonly error: string | undefined;
}

/** The samples of the client's probe, for the timeline. */
export interface Timeline {
  /** e.g. `balancer-1` */
  readonly of: string;
  readonly faultMs: number;
  readonly samples: readonly Sample[];
}
