import { podsElsewhereSeconds } from "../../model/failover-profiles";
import { busyboxImage } from "../../model/releases";

import { nodesOf } from "../../stacks/plan/data-center-plan";
import { verifyNamespace } from "../acknowledged-writes";
import type { Fault } from "../fault";
import type { Laboratory } from "../laboratory";

const DEADLINE_MS = 180_000;
const deployments = `/apis/apps/v1/namespaces/${verifyNamespace}/deployments`;
const name = "pods-elsewhere";

/** One pod, on any worker. */
const deployment = {
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
};

export const workerKill: Fault = {
  name: "worker-kill",
  what: "the worker with a pod loses its network, then its power",
  measures: ({ kubernetes }) => [
    {
      name: "pods-elsewhere",
      what: "time until a pod of the same Deployment serves on another worker",
      unit: "ms",
      target: podsElsewhereSeconds(kubernetes) * 1_000,
    },
  ],
  inapplicable: (plan) => (nodesOf(plan, "worker").length < 2 ? "the stack has fewer than two workers" : undefined),
  async run(lab) {
    await lab.api.request("POST", deployments, deployment, 10_000);
    try {
      await lab.until("a pod serves", 60_000, async () => (await servingNodes(lab)).length > 0);
      const [worker] = await servingNodes(lab);
      if (worker === undefined) throw new Error("the pod no longer serves");
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
