import { createHash } from "node:crypto";
import { guestPaths } from "../../../model/guest-paths";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { admissionConfiguration } from "./admission-configuration";
import { auditPolicy } from "./audit-policy";

interface PatchFile {
  readonly path: string;
  readonly content: string;
}

const staticPods = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/**
 * kubeadm's own patches of a machine, the same for bootstrap and join. Their names begin with `<target>1`, because the bootstrap
 * writes etcd's initial members to `etcd0+json.json` while it runs. That patch is never part of a join.
 *
 * @param address of the API server, where it does not listen on all of them
 */
export function kubeadmPatches(plan: DataCenterPlan, address?: string): readonly PatchFile[] {
  const probes = plan.kubernetes.fastProbes
    ? staticPods.map((pod) => patchFile(`${pod}1+json.json`, startupProbeEverySecond))
    : [];
  return [
    ...probes,
    patchFile("kube-apiserver2+json.json", namesItsFiles(plan)),
    ...(address === undefined ? [] : [patchFile("kube-apiserver3+json.json", bindsTo(address))]),
  ];
}

const patchFile = (name: string, patch: unknown): PatchFile => ({
  path: `${guestPaths.patches}/${name}`,
  content: `${JSON.stringify(patch, null, 2)}\n`,
});

/** Default probes start after ten seconds; the maximum start time stays at the default of four minutes. */
const startupProbeEverySecond = [
  { op: "replace", path: "/spec/containers/0/startupProbe/initialDelaySeconds", value: 1 },
  { op: "replace", path: "/spec/containers/0/startupProbe/periodSeconds", value: 1 },
  { op: "replace", path: "/spec/containers/0/startupProbe/failureThreshold", value: 240 },
];

/** Of one machine: kubeadm's configuration is that of all masters. */
const bindsTo = (address: string) => [
  { op: "add", path: "/spec/containers/0/command/-", value: `--bind-address=${address}` },
];

/** Changed files change the pod: the API server reads them when it starts. */
const namesItsFiles = (plan: DataCenterPlan) =>
  Object.entries({ "audit-policy": auditPolicy(), "admission-configuration": admissionConfiguration(plan) }).map(
    ([name, content]) => ({
      op: "add",
      path: `/metadata/annotations/groundplane.internal~1${name}`,
      value: createHash("sha256").update(content).digest("hex").slice(0, 16),
    }),
  );
