import { allClusterObjects, clusterInfoName } from "../../cloud-init/files/kubernetes/cluster-objects";
import { authoritiesIn } from "../../cloud-init/files/kubernetes/kubeadm-objects";
import { administratorIn } from "../../guests/administrator";
import { apiConnectionIn, type ClusterApi, clusterApi } from "../../guests/cluster-api";
import { describeChange, type LiveObjects, objectProblems, readObjects } from "../../guests/cluster-objects";
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
  const own = authorityIn(kubeconfig);
  const api = connect(kubeconfig);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const live = await readObjects(api, allClusterObjects(planned, own), signal);
    const objects = allClusterObjects(planned, authoritiesOf(planned, own, live));
    const found = objectProblems(objects, live);
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

/** After a rotation of the cluster's authority, nodes that join also learn the former one. The kubeconfig has one of them. */
function authoritiesOf(planned: DataCenterPlan, own: string, live: LiveObjects): string {
  if (planned.rotations["kubernetes-ca"] === undefined) return own;
  const offered = authoritiesIn(live[clusterInfoName(planned)]);
  return offered?.includes(own) ? offered : own;
}
