import { podsElsewhereSeconds } from "../../model/failover-profiles";
import { busyboxImage } from "../../model/releases";

import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { verifyNamespace } from "../acknowledged-writes";
import type { Fault } from "../fault";
import type { Laboratory } from "../laboratory";

const DEADLINE_MS = 180_000;
const deployments = `/apis/apps/v1/namespaces/${verifyNamespace}/deployments`;
const name = "pods-elsewhere";

/**
 * Workers that can be lost while the API stays: those that are no master, else masters of which a majority of etcd remains.
 */
export function expendableWorkers(plan: DataCenterPlan): readonly NodePlan[] {
  const workers = nodesOf(plan, "worker");
  const others = workers.filter(({ roles }) => !roles.includes("master"));
  if (others.length > 0) return others;
  const isLone = nodesOf(plan, "etcd").length < 3 && workers.some(({ roles }) => roles.includes("etcd"));
  return isLone || nodesOf(plan, "master").length < 2 ? [] : workers;
}

/** One pod, first on one of these Nodes if they have room for it, then on any. */
const deploymentOn = (nodes: readonly NodePlan[]) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 0,
        affinity: {
          nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: on(nodes) }] },
        },
        containers: [
          {
            name,
            image: busyboxImage,
            imagePullPolicy: "Never",
            command: ["sh", "-c", "mkdir -p /www && exec httpd -f -p 8080 -h /www"],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});

const on = (nodes: readonly NodePlan[]) => ({
  matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: nodes.map((node) => node.name) }],
});

export const workerKill: Fault = {
  name: "worker-kill",
  what: "the worker with a pod loses its network, then its power",
  breaks: (plan) => expendableWorkers(plan).map(({ name }) => name),
  measures: ({ kubernetes }) => [
    {
      name: "pods-elsewhere",
      what: "time until a pod of the same Deployment serves on another worker",
      unit: "ms",
      target: podsElsewhereSeconds(kubernetes) * 1_000,
    },
  ],
  inapplicable: (plan) => {
    if (nodesOf(plan, "worker").length < 2) return "the stack has fewer than two workers";
    return expendableWorkers(plan).length === 0 ? "every worker is a master that the cluster needs" : undefined;
  },
  async run(lab) {
    const expendable = expendableWorkers(lab.plan).filter(({ name: worker }) => (lab.machine ?? worker) === worker);
    await lab.api.request("POST", deployments, deploymentOn(expendable), 10_000);
    try {
      await lab.until("a pod serves", 60_000, async () => (await servingNodes(lab)).length > 0);
      const [worker] = await servingNodes(lab);
      if (worker === undefined) throw new Error("the pod no longer serves");
      if (!expendable.some((node) => node.name === worker))
        throw new Error(`the pod runs on ${worker}, which must stay`);
      const started = performance.now();
      await lab.kill(worker);
      await lab.until("the pod serves on another worker", DEADLINE_MS, async () =>
        (await servingNodes(lab)).some((node) => node !== worker),
      );
      return [{ values: { "pods-elsewhere": Math.round(performance.now() - started) } }];
    } finally {
      await lab.api.request("DELETE", `${deployments}/${name}`, undefined, 10_000);
    }
  },
};

async function servingNodes(lab: Laboratory): Promise<readonly string[]> {
  const { text } = await lab.api.request(
    "GET",
    `/api/v1/namespaces/${verifyNamespace}/pods?labelSelector=app%3D${name}`,
  );
  const { items = [] } = JSON.parse(text) as { readonly items?: readonly PodObject[] };
  return items
    .filter(({ status }) => status.conditions?.some((one) => one.type === "Ready" && one.status === "True"))
    .flatMap(({ spec }) => (spec.nodeName === undefined ? [] : [spec.nodeName]));
}

interface PodObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
