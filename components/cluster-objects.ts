import type * as pulumi from "@pulumi/pulumi";
import { clusterInfoName, clusterObjects } from "../cloud-init/files/kubernetes/cluster-objects";
import { clusterInfo } from "../cloud-init/files/kubernetes/kubeadm-objects";
import { byName } from "../model/cluster-object";
import type { Foundation } from "./foundation";
import { type Bootstrap, ClusterObjects } from "./resources";
import { timeLimits } from "./time-limits";

/**
 * The data centre's own objects in the cluster. They need only the API, so they are applied while nodes join: pods of the
 * network and of DNS start on each node as soon as it is a member.
 */
export function keepClusterObjects(
  { plan, secrets, slowdown }: Pick<Foundation, "plan" | "secrets" | "slowdown">,
  bootstrap: Bootstrap,
  parent: pulumi.Resource,
): ClusterObjects {
  const certificateAuthority = secrets.getPublic("kubernetes-ca.crt");
  return new ClusterObjects(
    "cluster-objects",
    {
      stack: plan.stack,
      clusterId: bootstrap.clusterId,
      connection: {
        server: `https://127.0.0.1:${plan.hostPorts.api}`,
        certificateAuthority,
        clientCertificate: secrets.getPublic("admin.crt"),
        clientKey: secrets.get("admin.key"),
      },
      objects: {
        ...byName(clusterObjects(plan)),
        [clusterInfoName(plan)]: certificateAuthority.apply((certificate) => clusterInfo(plan, certificate)),
      },
    },
    { parent, dependsOn: [bootstrap], customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }) },
  );
}
