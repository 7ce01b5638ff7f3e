import type { AddOnName } from "../../../../model/add-ons";
import type { ClusterObject } from "../../../../model/cluster-object";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import { metallbObjects } from "./metallb";
import { metricsServerObjects } from "./metrics-server";
import { registryObjects } from "./registry";

const objectsOf: Readonly<Record<AddOnName, (plan: DataCenterPlan) => readonly ClusterObject[]>> = {
  "metrics-server": metricsServerObjects,
  metallb: metallbObjects,
  registry: registryObjects,
};

/** What the stack's add-ons have in the cluster. Their images are not in those of the nodes. */
export const objectsOfAddOns = (plan: DataCenterPlan): readonly ClusterObject[] =>
  plan.addOns.flatMap((name) => objectsOf[name](plan));
