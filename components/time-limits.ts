import type { CustomTimeouts } from "@pulumi/pulumi";

/** Time limits of operations in minutes, on machines at native speed. */
export interface Minutes {
  readonly create: number;
  readonly update: number;
  readonly delete?: number;
}

/** @param slowdown factor by which the machines are slower */
export function timeLimits(slowdown: number, minutes: Minutes): CustomTimeouts {
  return Object.fromEntries(Object.entries(minutes).map(([operation, limit]) => [operation, `${limit * slowdown}m`]));
}
