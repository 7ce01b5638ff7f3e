import { allClusterObjects } from "../../cloud-init/files/kubernetes/cluster-objects";
import { administratorIn } from "../../guests/administrator";
import { apiConnectionIn, type ClusterApi, clusterApi } from "../../guests/cluster-api";
import { describeChange, objectProblems, readObjects } from "../../guests/cluster-objects";
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
  const objects = allClusterObjects(planned, authorityIn(kubeconfig));
  const api = connect(kubeconfig);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const found = objectProblems(objects, await readObjects(api, objects, signal));
    const problems = new Map(found.map((problem) => [problem.object, problem]));
    return objects.map((object) => {
      const name = clusterObjectName(object);
      const problem = problems.get(name);
      return problem === undefined ? healthy(name, "as rendered") : unhealthy(name, describeChange(problem));
    });
  } catch (error) {
    return [unknown("cluster", `the API does not respond: ${(error as Error).message}`)];
  } finally {
    api.close();
  }
}

/** The first certificate. Those of the issuers of a given authority follow, which only clients of the API need. */
function authorityIn(kubeconfig: string): string {
  const text = String(administratorIn(kubeconfig).ca);
  return /^-----BEGIN [\s\S]*?-----END CERTIFICATE-----\n/.exec(text)?.[0] ?? text;
}
