import { guestPaths } from "../../model/guest-paths";
import { registryName } from "../../model/releases";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { hasRegistry, registryAddress } from "../../stacks/plan/plan-registry";
import type { SecretFile, SeedFile } from "../role-content";

const folder = `${guestPaths.trustedRegistries}/${registryName}`;
const authority = `${folder}/ca.crt`;
const certificate = `${guestPaths.registry}/tls.crt`;

/** containerd reads it at each pull. */
const readAtPull = { reload: "" };

/**
 * How the containerd of a node finds the stack's registry, and by which authority it verifies it. Workers, which may run the registry, have
 * its certificate, too. Nothing in a stack without one.
 */
export function registryFiles(plan: DataCenterPlan, node: NodePlan): readonly SeedFile[] {
  if (!hasRegistry(plan)) return [];
  return [
    {
      path: `${folder}/hosts.toml`,
      mode: "0644",
      content: `server = "https://${registryAddress(plan)}"\ncapabilities = ["pull", "resolve"]\nca = "${authority}"\n`,
      changes: readAtPull,
    },
    runtimeSettings,
    { path: authority, mode: "0644", secret: "kubernetes-authorities.crt", changes: readAtPull },
    ...(node.roles.includes("worker") ? ownKeys : []),
  ];
}

/**
 * containerd has two folders for registries by default, and its pulls take their names for that of one folder, so that they find none.
 * A restart leaves pods running.
 */
const runtimeSettings: SeedFile = {
  path: guestPaths.registrySettings,
  mode: "0644",
  content: `version = 3

[plugins."io.containerd.cri.v1.images".registry]
  config_path = "${guestPaths.trustedRegistries}"
`,
  changes: { reload: "systemctl try-restart containerd" },
};

const key: SecretFile = { path: `${guestPaths.registry}/tls.key`, mode: "0400", secret: "registry.key" };

/** It reads its certificate when it starts. The kubelet starts it again where it runs. */
const restart =
  "crictl ps --quiet --name '^registry$' --label io.kubernetes.pod.namespace=kube-system | xargs --no-run-if-empty crictl stop";

const ownKeys: readonly SeedFile[] = [
  key,
  { path: certificate, mode: "0644", secret: "registry.crt", changes: { reload: restart, alongside: [key] } },
];
