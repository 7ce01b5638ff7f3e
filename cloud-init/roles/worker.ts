import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { withStorageClient } from "../planned-storage";
import type { RoleContent } from "../role-content";
import { kubernetesNodeContent } from "./kubernetes-node";

/** A worker waits for its order to join and keeps no key of the cluster. */
export function workerContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  return withStorageClient(plan, node, kubernetesNodeContent(plan, node));
}
