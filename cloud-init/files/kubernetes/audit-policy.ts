import { flannelNamespace, systemNamespace } from "../../../model/cluster-namespaces";
import { emitYaml } from "../../emit-yaml";

const reading = ["get", "list", "watch"];
const controlPlane = [
  "system:apiserver",
  "system:kube-controller-manager",
  "system:kube-scheduler",
  "system:kube-proxy",
];

/**
 * Records metadata only, never contents: secrets must not reach a log. The cluster's own traffic (leases, events, watches of its
 * components) is excluded, because it is most of the volume and not useful.
 */
export function auditPolicy(): string {
  return emitYaml({
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    omitManagedFields: true,
    rules: [
      {
        level: "None",
        nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi*", "/apis*", "/api*"],
      },
      { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
      {
        level: "None",
        resources: [
          { group: "", resources: ["events"] },
          { group: "events.k8s.io", resources: ["events"] },
        ],
      },
      { level: "Metadata", resources: [{ group: "", resources: ["secrets", "serviceaccounts/token"] }] },
      { level: "None", userGroups: ["system:nodes"], verbs: [...reading, "patch"] },
      { level: "None", users: controlPlane, verbs: reading },
      {
        level: "None",
        userGroups: [systemNamespace, flannelNamespace].map((namespace) => `system:serviceaccounts:${namespace}`),
        verbs: reading,
      },
      { level: "Metadata" },
    ],
  });
}
