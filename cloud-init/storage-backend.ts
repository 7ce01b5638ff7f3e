import type { ClusterObject } from "../model/cluster-object";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { RenderRole } from "./role-content";

/**
 * The source of a data centre's volumes. Another backend (NFS, a CSI driver) replaces Gluster by implementing this interface;
 * no other code depends on how volumes are created.
 */
export interface StorageBackend {
  /** The additions to the seed of a storage machine. */
  readonly server: RenderRole;
  /** The additions to the seed of a node whose pods can use volumes. */
  readonly client: RenderRole;
  /** The cluster objects that provision volumes for claims. */
  readonly objects: (plan: DataCenterPlan) => readonly ClusterObject[];
  /** An idempotent command for one storage machine that forms the pool; it prints what is missing. */
  readonly formPool: readonly string[];
}
