import { guestPaths } from "../../../model/guest-paths";
import { emitYaml } from "../../emit-yaml";
import { envLine } from "../../quoting";
import type { TextFile } from "../../role-content";

/** What a node keeps for itself: systemd, SSH, containerd, the kubelet, and the volume's client. */
export const reservedForSystem = { cpu: "100m", memory: "256Mi" } as const;

/**
 * Settings of the kubelet that running nodes follow. kubeadm copies its own configuration only once, when the node joins; the
 * kubelet merges these files over that copy.
 */
const settings = emitYaml({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  systemReserved: reservedForSystem,
});

const changes = { reload: "systemctl try-restart kubelet" };

export const kubeletSettings: readonly TextFile[] = [
  { path: `${guestPaths.kubeletSettings}/10-groundplane.conf`, mode: "0644", content: settings, changes },
  {
    path: "/etc/default/kubelet",
    mode: "0644",
    content: envLine("KUBELET_EXTRA_ARGS", `--config-dir=${guestPaths.kubeletSettings}`),
    changes,
  },
];
