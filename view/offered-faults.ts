import type { FaultReport, MeasureResult } from "../model/contract-report";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { Fault } from "../verify/fault";
import { faultExplanations } from "../verify/fault-explanations";
import { faults } from "../verify/faults/all";
import { amount, expectationOf, figuresOf } from "../verify/recorded-figures";
import type { ExpectedFigure, FaultOrder, MeasuredFigure, OfferedFault } from "./picture/state";

/** A fault of the table, and the machine that it breaks where one is chosen. */
export interface ChosenFault {
  readonly fault: Fault;
  readonly machine?: string;
}

/** The faults of the table that apply to a stack. Those that break this host would also disturb what else runs on it. */
export const offeredFaults = (plan: DataCenterPlan): readonly OfferedFault[] =>
  faults.flatMap((fault) => {
    const breaks = fault.breaks(plan);
    if (breaks === "host" || fault.inapplicable(plan) !== undefined) return [];
    const figures = figuresOf(plan, fault.name);
    const { name, what } = fault;
    return [
      {
        ...{ name, what, breaks, does: faultExplanations[name] ?? "", origin: figures?.origin ?? "" },
        expected: fault.measures(plan).map((measure): ExpectedFigure => {
          const last = figures?.results.find((result) => result.name === measure.name);
          return {
            what: measure.what,
            expected: expectationOf(measure),
            measured: last === undefined ? "" : amount(last.max, last),
          };
        }),
      },
    ];
  });

/** The fault that an order names; `undefined`: it names none that is offered. */
export function chosenFault(
  offered: readonly OfferedFault[],
  { fault: name, machine }: FaultOrder,
): ChosenFault | undefined {
  const offer = offered.find((each) => each.name === name);
  const fault = faults.find((each) => each.name === name);
  if (offer === undefined || fault === undefined) return undefined;
  if (typeof offer.breaks === "string") return machine === undefined ? { fault } : undefined;
  return machine !== undefined && offer.breaks.includes(machine) ? { fault, machine } : undefined;
}

/** An order in the body of a request; `undefined`: it is none. Nothing else may be in it. */
export function orderIn(body: string): FaultOrder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { fault, machine, ...rest } = value as Record<string, unknown>;
  if (typeof fault !== "string" || Object.keys(rest).length > 0) return undefined;
  if (machine === undefined) return { fault };
  return typeof machine === "string" ? { fault, machine } : undefined;
}

export const measuredFigures = ({ results }: Pick<FaultReport, "results">): readonly MeasuredFigure[] =>
  results.map((result: MeasureResult) => ({
    ...{ what: result.what, expected: expectationOf(result), measured: amount(result.max, result) },
    met: result.met !== false,
  }));

/** e.g. `longest time without an API response 0.85 s, expected at most 1.00 s` */
export const describeFigure = ({ what, expected, measured }: MeasuredFigure): string =>
  `${what}: ${measured}${expected === "reported only" ? "" : `, expected ${expected}`}`;
