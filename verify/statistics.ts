import type { Measure, MeasureResult } from "../model/contract-report";

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
