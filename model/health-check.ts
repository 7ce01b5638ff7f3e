import type { Role } from "./roles";

/** A row of the table of health checks, see health-checks.ts. */
export interface HealthCheck {
  /** What is asked. */
  readonly asks: string;
  /** The roles whose machines are asked; empty: the hypervisor or the cluster's API is asked. */
  readonly of: readonly Role[];
  /** What a bad answer means. */
  readonly means: string;
  /** The next step. */
  readonly next: string;
  /** The data centre promises it: `status` exits with 1 unless it is healthy. */
  readonly promised: boolean;
}

/** The next step of many checks. */
export const logs = "`npx groundplane logs NODE` shows the reason";

/** The end of a certificate is reported this many days before. */
export const expiryWarningDays = 14;

/** etcd's database is too large beyond this share of its quota. */
export const etcdFullPercent = 80;

/** 99 of 100 writes of etcd's log must be faster. A bucket of etcd's histogram, and less than the shortest heartbeat. */
export const etcdSlowWriteMs = 64;

/** Masters renew the certificates of their control plane this many days before the end. */
export const renewalDays = 90;

/** `up` does what their timer has not done for a day. */
export const overdueDays = renewalDays - 1;
