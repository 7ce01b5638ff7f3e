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

/** When a master joins, kubeadm finds the members of etcd by the static pods of the other masters. */
const servicesOfOneMaster: Rule = {
  reads: [
    ["options", "controlPlane"],
    ["pools", "masters", "count"],
    ["pools", "etcd", "count"],
    ["pools", "gateway", "roles"],
  ],
  check({ options, pools }) {
    const isAlone = pools.masters.count === 1 && pools.etcd.count === 0 && pools.gateway.roles.length === 0;
    if (options.controlPlane !== "services" || isAlone) return [];
    const rule =
      "must be static-pods unless a single master also runs etcd: other masters cannot join, because kubeadm finds the members of " +
      "etcd by their static pods";
    return [{ path: ["options", "controlPlane"], rule, fix: "use controlPlane: static-pods, or masters: {count: 1}" }];
  },
};

export const optionRules: readonly Rule[] = [servicesKeepImages, servicesOfOneMaster];
