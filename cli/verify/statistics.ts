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

export function summarizeMeasure(fault: string, measure: Measure, values: readonly number[]): MeasureResult {
  const p95 = quantile(values, 0.95);
  return {
    ...{ fault, ...measure, rounds: values.length },
    ...{ p50: quantile(values, 0.5), p95, max: quantile(values, 1) },
    met: measure.target === undefined ? undefined : p95 <= measure.target,
  };
}

/** The value below which the share of all values lies, by nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("no values to take a quantile of");
  return value;
}
