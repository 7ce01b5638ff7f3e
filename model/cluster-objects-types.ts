import type { ClusterObject } from "./cluster-object";
import type { ApiConnection } from "./resource-types";

/**
 * The data centre's own objects in the cluster, kept equal there. Its diff names the objects that are missing and the fields
 * that were changed. Objects that are no longer rendered are deleted; all of them are removed with the cluster.
 */
export interface ClusterObjectsInputs {
  readonly stack: string;
  /** `BootstrapOutputs.clusterId`: a cluster that was bootstrapped again gets all of them again. */
  readonly clusterId: string;
  readonly connection: ApiConnection;
  /** By `clusterObjectName`. */
  readonly objects: Readonly<Record<string, ClusterObject>>;
  /** A cluster that lacks them gets them at once. Another resource keeps them equal, later. By `clusterObjectName`. */
  readonly initial?: Readonly<Record<string, ClusterObject>>;
}
export interface ClusterObjectsOutputs extends Omit<ClusterObjectsInputs, "initial"> {
  /** Whether all initial objects exist. */
  readonly begun: boolean;
}
