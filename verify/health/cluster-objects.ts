import { setMaxListeners } from "node:events";
import { allClusterObjects } from "../../cloud-init/files/kubernetes/cluster-objects";
import { administratorIn } from "../../guests/administrator";
import { apiConnectionIn, type ClusterApi, clusterApi } from "../../guests/cluster-api";
import { objectProblems, readObjects } from "../../guests/cluster-objects";
import { clusterObjectName } from "../../model/cluster-object";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { type Finding, healthy, unhealthy, unknown } from "./findings";

const TIMEOUT_MS = 8_000;

/**
 * The data centre's own objects in the cluster, compared with the rendered ones.
 *
 * @param planned the plan, or the reason that there is none
 */
export async function readClusterObjects(
  kubeconfig: string,
  planned: DataCenterPlan | { readonly reason: string },
  connect: (kubeconfig: string) => ClusterApi = (text) => clusterApi(apiConnectionIn(text)),
): Promise<readonly Finding[]> {
  if ("reason" in planned) return [unknown("cluster", planned.reason)];
  const objects = allClusterObjects(planned, String(administratorIn(kubeconfig).ca));
  const api = connect(kubeconfig);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  // Each request listens to it; Node.js warns of more than ten listeners.
  setMaxListeners(0, signal);
  try {
    const problems = objectProblems(objects, await readObjects(api, objects, signal));
    const changes = new Map(problems.map(({ object, changed }) => [object, changed]));
    return objects.map((object) => {
      const name = clusterObjectName(object);
      const changed = changes.get(name);
      if (changed === undefined) return healthy(name, "as rendered");
      return unhealthy(name, changed.length === 0 ? "is missing" : `was changed: ${changed.join(", ")}`);
    });
  } catch (error) {
    return [unknown("cluster", `the API does not respond: ${(error as Error).message}`)];
  } finally {
    api.close();
  }
}
