import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import { glusterBackend } from "./files/storage/gluster-backend";
import { mergeContents, noContent, type RoleContent } from "./role-content";
import type { StorageBackend } from "./storage-backend";

/** `undefined` when the plan has no storage machines. */
export const storageBackend = (plan: DataCenterPlan): StorageBackend | undefined =>
  plan.volume === undefined ? undefined : glusterBackend(plan.volume);

/** A role's own content plus the additions for storage. */
export function withStorageClient(plan: DataCenterPlan, node: NodePlan, content: RoleContent): RoleContent {
  const client = storageBackend(plan)?.client(plan, node) ?? noContent;
  return mergeContents([content, client]);
}

/** The mounts of a node's pods, as systemd units: they outlast the pods at a shutdown. */
export const volumeMountsOf = (plan: DataCenterPlan, node: NodePlan): readonly string[] =>
  storageBackend(plan)
    ?.client(plan, node)
    .enable.filter((unit) => unit.endsWith(".mount")) ?? [];
