import type { HealthCheckName } from "../../model/health-checks";

/**
 * The test that breaks the fault of a health check for real, for checks that test/e2e/steps/health.ts does not break. The
 * compiler names a check that is in none of these places.
 */
export const brokenElsewhere = {
  "etcd-size": "test/contract/broken-health.test.ts",
  "etcd-disk": "test/contract/broken-health.test.ts",
  "lost-pods": "test/e2e/steps/machines.ts",
} as const satisfies Partial<Record<HealthCheckName, string>>;

/** Checks with unit tests only, each with the reason. */
export const unitTested = {
  clock: "system containers have their host's clock",
  "clock-source": "system containers have their host's clock",
} as const satisfies Partial<Record<HealthCheckName, string>>;
