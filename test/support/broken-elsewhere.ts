import type { HealthCheckName } from "../../model/health-checks";

/**
 * The test that breaks the fault of a health check for real, for checks that test/e2e/steps/health.ts does not break. The
 * compiler names a check that is neither here nor there.
 */
export const brokenElsewhere = {
  clock: "test/qemu/guest-program.test.ts",
  "clock-source": "test/qemu/guest-program.test.ts",
  backups: "test/contract/health-answers.test.ts",
  "etcd-size": "test/contract/broken-health.test.ts",
  "etcd-disk": "test/contract/broken-health.test.ts",
  metrics: "test/topologies/add-ons.test.ts",
  "service-addresses": "test/topologies/add-ons.test.ts",
  registry: "test/topologies/registry.test.ts",
  "lost-pods": "test/e2e/steps/machines.ts",
} as const satisfies Partial<Record<HealthCheckName, string>>;
