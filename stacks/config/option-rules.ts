import { containerRuntimes } from "../../model/container-runtimes";
import type { Rule } from "./rules";

/** What options allow together. */

/**
 * Programs of services are mounted from container images, which no container uses. cri-dockerd reports no image as pinned but that
 * of sandboxes, so the kubelet would delete them from a full disk.
 */
const servicesKeepImages: Rule = {
  reads: [
    ["options", "controlPlane"],
    ["options", "runtime"],
  ],
  check({ options }) {
    const { keepsPinnedImages, title } = containerRuntimes[options.runtime];
    if (options.controlPlane !== "services" || keepsPinnedImages) return [];
    const rule =
      `must be static-pods with runtime: ${options.runtime}: services run programs from container images, ` +
      `and ${title} lets the kubelet delete images that no container uses`;
    return [{ path: ["options", "controlPlane"], rule, fix: "use controlPlane: static-pods, or runtime: containerd" }];
  },
};

export const optionRules: readonly Rule[] = [servicesKeepImages];
