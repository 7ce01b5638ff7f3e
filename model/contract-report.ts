/** What `npx groundplane verify` reports; its JSON has this shape. */

export interface FaultReport {
  readonly name: string;
  readonly what: string;
  /** Why it could not be made; nothing was measured then. */
  readonly skipped?: string;
  /** Why it was not made as often as it should have been; what was measured until then is there. */
  readonly failed?: string;
  /** What of the stack did not come back after it; no other fault was made then. */
  readonly broken?: string;
  readonly results: readonly MeasureResult[];
  /** The round with the longest outage. */
  readonly worst?: Timeline;
}

export interface VerifyReport {
  readonly stack: string;
  readonly driver: string;
  readonly movedBy: string;
  readonly rounds: number;
  /** How long `saturation` lasted. */
  readonly minutes: number;
  /** Of the host, for each core, before anything was broken: times that others took part in are too long. */
  readonly load: number;
  readonly faults: readonly FaultReport[];
  /** Every target was met. */
  readonly met: boolean;
}

/** A figure of the contract: what is measured in each round of a fault, and what it may be at most. */
export interface Measure {
  /** Unique within its fault, e.g. `api-gap`. */
  readonly name: string;
  readonly what: string;
  readonly unit: "ms" | "times";
  /** For the 95th percentile of the rounds; absent: told, not judged. */
  readonly target?: number;
}

export interface MeasureResult extends Measure {
  readonly fault: string;
  readonly rounds: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** `undefined` where nothing is promised. */
  readonly met: boolean | undefined;
}

/** One question and its answer, as a client saw it. Times are in ms of one monotonic clock. */
export interface Sample {
  readonly startedMs: number;
  readonly error: string | undefined;
}

/** What the client's probe saw, for the drawing. */
export interface Timeline {
  /** e.g. `balancer-1` */
  readonly of: string;
  readonly faultMs: number;
  readonly samples: readonly Sample[];
}
