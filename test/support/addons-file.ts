import * as path from "node:path";

/** What kubeadm of a release installs beside the control plane; see record-addons.ts. */
export const addonsFile = (kubernetesVersion: string): string =>
  path.join(__dirname, "..", "transcripts", `kubeadm-${kubernetesVersion}`, "addons.yaml");
