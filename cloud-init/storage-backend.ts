import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { RenderRole } from "./role-content";

/**
 * Where a data centre's volumes come from. Another backend (NFS, a CSI driver) takes Gluster's place by answering these
 * questions; nothing else knows how volumes are made.
 */
export interface StorageBackend {
  /** What a storage machine is told beside its data disks. */
  readonly server: RenderRole;
  /** What a node that runs pods is told, so that they can use volumes. */
  readonly client: RenderRole;
  /** Kubernetes objects that make volumes out of claims, as YAML. */
  readonly manifest: (plan: DataCenterPlan) => string;
  /** What makes the storage machines one pool: a command for one of them, safe to run again; prints what is missing. */
  readonly formPool: readonly string[];
}
