import { guestPaths } from "../../model/guest-paths";
import { registryName } from "../../model/releases";
import type { FileExplanation } from "./explanation";

/** Files of cluster nodes in a stack with a registry, by path. */
export const registryFiles: Readonly<Record<string, FileExplanation>> = {
  [`${guestPaths.trustedRegistries}/${registryName}/hosts.toml`]: {
    why: "Where containerd finds the stack's registry, which names of the cluster's DNS do not tell a node.",
    unit: "containerd.service",
    stanzas: {
      "server =": "The planned address of its Service.",
      "capabilities =": "Nodes pull images and push none.",
      "ca =": "The authority that its certificate must have.",
    },
  },
  [guestPaths.registrySettings]: {
    why: "The folder in which containerd finds what it knows about registries: by default it looks for two of them by one name, and finds none.",
    unit: "containerd.service",
    stanzas: {
      "version =": "The version of containerd's settings.",
      "[plugins.": "Of what pulls images for the kubelet.",
    },
  },
  [`${guestPaths.trustedRegistries}/${registryName}/ca.crt`]: {
    why: "The cluster's authority, which signs the certificate of the registry.",
    unit: "containerd.service",
  },
  [`${guestPaths.registry}/*`]: {
    why: "Certificate and key of the stack's registry, on every node that may run it.",
    shown: "kubectl --namespace kube-system get pods --selector k8s-app=registry",
  },
};
