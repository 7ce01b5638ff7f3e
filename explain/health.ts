import { type HealthCheckName, healthCheckNames, healthChecks } from "../model/health-checks";
import { forStack } from "../model/next-step";
import type { Role } from "../model/roles";
import { type DataCenterPlan, nodesOf } from "../stacks/plan/data-center-plan";
import { faults } from "../verify/faults/all";
import { figureLine } from "../verify/recorded-figures";
import { type Explanation, filled, type Section } from "./explanation";
import { onStack, type Subject } from "./subject";

/** Checks that ask machines of the role. */
export const checksOfRole = (role: Role): readonly HealthCheckName[] =>
  healthCheckNames.filter((name) => {
    const { of } = healthChecks[name];
    return of.includes(role) && of.length < 6;
  });

export const checkRows = (names: readonly HealthCheckName[]): readonly (readonly [string, string])[] =>
  names.map((name) => [name, healthChecks[name].means]);

/** What was measured of faults that apply to the stack. */
export function faultRows(plan: DataCenterPlan, names: readonly string[]): readonly (readonly [string, string])[] {
  return faults
    .filter((fault) => names.includes(fault.name) && fault.inapplicable(plan) === undefined)
    .flatMap(({ name, what }) => {
      const line = figureLine(plan, name);
      return line === undefined ? [] : ([[name, `${what}; ${line}`]] as const);
    });
}

/** What happens when it fails: what checks report, and what was measured. */
export const failureSections = (
  { plan }: Subject,
  checks: readonly HealthCheckName[],
  faultNames: readonly string[],
): readonly Section[] => [
  { title: "When it fails, `status` shows", rows: checkRows(checks) },
  { title: "Measured by `verify`", rows: faultRows(plan, faultNames) },
];

/** The tables name the machines of the default stack. */
const ofStack = ({ plan }: Subject, next: string): string =>
  forStack(next.replaceAll("master-1", nodesOf(plan, "master")[0]?.name ?? "master-1"), plan.stack);

export function explainCheck(subject: Subject, name: HealthCheckName): Explanation {
  const { asks, of, means, promised } = healthChecks[name];
  const next = ofStack(subject, healthChecks[name].next);
  return {
    kind: "check",
    name,
    is: `Healthy when ${asks}.`,
    why: promised
      ? "The data centre promises it: `status` exits with 1 unless it is healthy."
      : "It is not promised: it does not change the exit code of `status`.",
    sections: filled([
      {
        title: "When unhealthy",
        rows: [
          ["means", means],
          ["next step", next],
        ],
      },
      { title: "Who is asked", text: of.length === 0 ? "the hypervisor or the API" : of.join(", ") },
      { title: "See it", commands: [onStack(subject, "status")] },
    ]),
  };
}
