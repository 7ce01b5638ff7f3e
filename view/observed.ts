import { holdersIn, isHolderKnown } from "../verify/health/balancing-answers";
import { isLeaderKnown, isReady, leaderIn, leaderNames } from "../verify/health/cluster-state";
import { etcdLeadersIn, isEtcdLeaderKnown } from "../verify/health/etcd-answers";
import type { StackAnswers } from "../verify/health/health-rows";
import { isHealthy, statusOf } from "../verify/stack-status";
import type { Leadership, Observed, PodView, Unknown } from "./picture/state";

/** What the answers mean, by the code of `status`. */
export function observed(stack: string, driver: string, answers: StackAnswers, askedAt: string): Observed {
  const status = statusOf(stack, driver, answers);
  const { nodes } = answers.cluster;
  return {
    ...{ askedAt, driver, healthy: isHealthy(status), api: status.api, checks: status.checks },
    machines: status.machines.map(({ name, power, image, ready, reason, kubernetes }) => ({
      ...{ name, power, ready, reason },
      ...(image !== undefined && { image }),
      ...(kubernetes && { kubernetes }),
    })),
    holders: holdersIn(answers.machines),
    leaders: leadersIn(answers),
    cordoned:
      "value" in nodes ? nodes.value.flatMap(({ metadata, spec }) => (spec?.unschedulable ? metadata.name : [])) : [],
    pods: podsIn(answers),
    unknown: unknownIn(answers),
  };
}

function unknownIn({ cluster, machines }: StackAnswers): readonly Unknown[] {
  const known: Readonly<Record<Unknown, boolean>> = {
    "floating-ip": isHolderKnown(machines),
    etcd: isEtcdLeaderKnown(machines),
    "kube-scheduler": isLeaderKnown(cluster, "kube-scheduler"),
    "kube-controller-manager": isLeaderKnown(cluster, "kube-controller-manager"),
    nodes: "value" in cluster.nodes,
    pods: "value" in cluster.pods,
  };
  return (Object.keys(known) as Unknown[]).filter((each) => !known[each]);
}

function leadersIn({ cluster, machines, nowMs }: StackAnswers): Observed["leaders"] {
  const etcd = etcdLeadersIn(machines);
  const leaders: Partial<Record<Leadership, string>> = {};
  // Members that disagree are no leader that can be shown; the row etcd-leader tells which.
  if (etcd.length === 1) leaders.etcd = etcd[0];
  for (const name of leaderNames) {
    const holder = leaderIn(cluster, name, nowMs);
    if (holder !== undefined) leaders[name] = holder;
  }
  return leaders;
}

const podsIn = ({ cluster: { pods } }: StackAnswers): readonly PodView[] =>
  "reason" in pods
    ? []
    : pods.value
        .map((pod) => ({
          ...{ namespace: pod.metadata.namespace, name: pod.metadata.name, node: pod.spec?.nodeName ?? "" },
          ...{ phase: pod.metadata.deletionTimestamp ? "Terminating" : pod.status.phase, ready: isReady(pod) },
        }))
        .sort((one, other) => `${one.namespace}/${one.name}`.localeCompare(`${other.namespace}/${other.name}`, "en"));
