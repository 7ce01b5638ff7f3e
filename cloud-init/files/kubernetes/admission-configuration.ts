import { clusterNamespaces } from "../../../model/cluster-namespaces";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { emitYaml } from "../../emit-yaml";

/**
 * What a namespace without labels of its own allows its pods, and how many events clients may write. The data centre's own
 * namespaces are exempt: flannel and kube-proxy configure the network of their node, and volumes are its folders.
 */
export function admissionConfiguration({ kubernetes: { podSecurity } }: DataCenterPlan): string {
  return emitYaml({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AdmissionConfiguration",
    plugins: [
      {
        name: "PodSecurity",
        configuration: {
          apiVersion: "pod-security.admission.config.k8s.io/v1",
          kind: "PodSecurityConfiguration",
          defaults: {
            ...{ enforce: podSecurity, "enforce-version": "latest" },
            ...{ audit: podSecurity, "audit-version": "latest" },
            ...{ warn: podSecurity, "warn-version": "latest" },
          },
          exemptions: { usernames: [], runtimeClasses: [], namespaces: clusterNamespaces },
        },
      },
      {
        name: "EventRateLimit",
        configuration: {
          apiVersion: "eventratelimit.admission.k8s.io/v1alpha1",
          kind: "Configuration",
          limits: eventLimits,
        },
      },
    ],
  });
}

/** A controller that fails in a loop must not fill etcd. A kubelet sends 50 events a second at most, all of them together more. */
const eventLimits = [
  { type: "Namespace", qps: 50, burst: 500, cacheSize: 2000 },
  { type: "Server", qps: 500, burst: 5000 },
];
