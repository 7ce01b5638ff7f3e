import type { ContainerRuntimeFacts } from "../model/container-runtimes";
import type { TextFile } from "./role-content";

/**
 * What runs the containers of a node's pods. Another runtime implements this interface, has a row in model/container-runtimes.ts
 * and its programs and settings in the image; no other code depends on which one it is.
 */
export interface ContainerRuntime extends Pick<ContainerRuntimeFacts, "announcesPods"> {
  /** Where kubeadm and the kubelet reach it. */
  readonly endpoint: string;
  /** The unit that the kubelet talks to. */
  readonly unit: string;
  /** What stands for `@runtime@` and `@answers@` in scripts. */
  readonly inScripts: { readonly runtime: string; readonly answers: string };
  /** The command that ends the pods of a node that shuts down. */
  readonly endPods: TextFile;
  /** Settings that a kubelet of the cluster needs with it. */
  readonly kubeletSettings: readonly TextFile[];
}
