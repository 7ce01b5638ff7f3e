import type { CustomTimeouts } from "@pulumi/pulumi";

/** Minutes after which an operation is given up, on machines that run at the processor's own speed. */
export interface Minutes {
  readonly create: number;
  readonly update: number;
  readonly delete?: number;
}

/** @param slowdown how many times slower the machines are */
export function timeLimits(slowdown: number, minutes: Minutes): CustomTimeouts {
  return Object.fromEntries(Object.entries(minutes).map(([operation, limit]) => [operation, `${limit * slowdown}m`]));
}
