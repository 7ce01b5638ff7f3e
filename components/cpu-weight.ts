import type { Role } from "../stacks/plan/data-center-plan";

/** A role's share of CPU when the host is saturated; 1024 is the normal one. */
export function cpuWeightOf(_role: Role): number {
  return 1024;
}
