import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { examplePlan, exampleStacks } from "./example-plans";
import { exampleSettings } from "./example-stacks";
import { writtenPlan } from "./written-plan";

/** Plans that together have every file and every unit: the examples, and `lab` with each other program. */
export function explainedPlans(): readonly DataCenterPlan[] {
  const lab = (written: object) => writtenPlan({ ...exampleSettings("lab"), ...written });
  const rotate = Object.fromEntries(
    [
      "administrator",
      "ssh-user-key",
      "ssh-host-keys",
      "etcd-ca",
      "kubernetes-ca",
      "front-proxy-ca",
      "corosync-key",
    ].map((key) => [key, 1]),
  );
  return [
    ...exampleStacks.map(examplePlan),
    lab({ options: { balancer: "nginx" } }),
    lab({ options: { failoverBy: "keepalived" } }),
    lab({ options: { failoverBy: "keepalived", balancer: "nginx" } }),
    lab({ options: { runtime: "docker" } }),
    lab({ options: { controlPlane: "services" } }),
    lab({ addons: { registry: true } }),
    lab({ backups: { every: "6h" }, secrets: { rotate } }),
    lab({ secrets: { authority: { certificate: "./ca.crt", key: "./ca.key" } } }),
  ];
}
