import type * as pulumi from "@pulumi/pulumi";
import {
  addOnObjects,
  clusterInfoName,
  joinObjects,
  laterObjects,
} from "../cloud-init/files/kubernetes/cluster-objects";
import { clusterInfo } from "../cloud-init/files/kubernetes/kubeadm-objects";
import { byName } from "../model/cluster-object";
import type { ControlPlane } from "./control-plane";
import type { Foundation } from "./foundation";
import { inputOfSlowdown } from "./guest-connection";
import { type Bootstrap, ClusterObjects } from "./resources";
import { timeLimits } from "./time-limits";

type Needed = Pick<Foundation, "plan" | "secrets" | "slowdown">;

/**
 * What nodes need to join. A new cluster also gets the add-ons: pods of the network and of DNS start on each node as soon as it is a
 * member. They need only the API, so they are applied while nodes join.
 */
export function keepJoinObjects(
  needed: Needed,
  { bootstrap, administrators }: Pick<ControlPlane, "bootstrap" | "administrators">,
  parent: pulumi.Resource,
): ClusterObjects {
  const { plan, secrets } = needed;
  const certificateAuthority = secrets.getPublic("kubernetes-authorities.crt");
  return new ClusterObjects(
    "cluster-objects",
    {
      ...inCluster(needed, bootstrap),
      objects: {
        ...byName(joinObjects(plan)),
        [clusterInfoName(plan)]: certificateAuthority.apply((certificate) => clusterInfo(plan, certificate)),
      },
      initial: byName(addOnObjects(plan)),
    },
    options(needed, [bootstrap, ...administrators], parent),
  );
}

/**
 * What runs in the cluster.
 *
 * @param nodes when each node has the image that contains those of the add-ons, and those that running nodes get; others could not start
 *   their pods
 */
export function keepAddOns(
  needed: Needed,
  bootstrap: Bootstrap,
  nodes: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): ClusterObjects {
  return new ClusterObjects(
    "cluster-add-ons",
    { ...inCluster(needed, bootstrap), objects: byName(laterObjects(needed.plan)) },
    options(needed, [bootstrap, ...nodes], parent),
  );
}

const inCluster = ({ plan, secrets, slowdown }: Needed, { clusterId }: Bootstrap) => ({
  stack: plan.stack,
  clusterId,
  connection: {
    server: `https://127.0.0.1:${plan.hostPorts.api}`,
    // While a rotation is under way, some API servers have a certificate of the former one. A given authority is not rotated.
    certificateAuthority: secrets.getPublic(
      plan.rotations["kubernetes-ca"] === undefined ? "kubernetes-ca-bundle.crt" : "kubernetes-authorities.crt",
    ),
    clientCertificate: secrets.getPublic("admin.crt"),
    clientKey: secrets.get("admin.key"),
    ...inputOfSlowdown(slowdown),
  },
});

const options = ({ slowdown }: Needed, dependsOn: readonly pulumi.Resource[], parent: pulumi.Resource) => ({
  parent,
  dependsOn: [...dependsOn],
  customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }),
});
