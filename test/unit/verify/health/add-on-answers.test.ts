import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient } from "../../../../verify/api-client";
import {
  type AddOnState,
  askAddOns,
  readMetrics,
  readRegistry,
  readServiceAddresses,
} from "../../../../verify/health/add-on-answers";
import type { ClusterState } from "../../../../verify/health/cluster-state";
import type { Finding } from "../../../../verify/health/findings";

const shown = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ of, state, observed }) => `${of} ${state}: ${observed}`);

const node = (name: string, status = "True") => ({
  metadata: { name },
  status: { conditions: [{ type: "Ready", status }], nodeInfo: { kubeletVersion: "v1" } },
});
const nodes: ClusterState["nodes"] = { value: [node("one"), node("two"), node("lost", "Unknown")] };
const ofNode = (name: string) => ({ metadata: { name } });

const service = (name: string, ip?: string, spec: object = { type: "LoadBalancer" }) => ({
  ...{ metadata: { name, namespace: "shop" }, spec },
  status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
});
const announced = (serviceName: string, on = "one") => ({
  status: { node: on, serviceName, serviceNamespace: "shop" },
});

const slice = (of: string, ...ready: readonly (boolean | undefined)[]) => ({
  metadata: { namespace: "shop", labels: { "kubernetes.io/service-name": of } },
  endpoints: ready.map((each) => ({ conditions: { ready: each } })),
});

/** An API with these answers by path; 404 otherwise, or no response. */
function api(answers: Readonly<Record<string, object>> | "silent"): ApiClient {
  return {
    async request(_method: string, path: string) {
      if (answers === "silent") throw new Error("ECONNREFUSED");
      const found = answers[path];
      return found ? { status: 200, text: JSON.stringify(found) } : { status: 404, text: "" };
    },
  } as unknown as ApiClient;
}

test("a cluster without add-ons has no findings about them, and a silent API is unknown", async () => {
  const none = await askAddOns(api({}));
  assert.deepEqual([none.metrics, none.announced, none.registry], ["absent", "absent", "absent"]);
  const found = [readMetrics(none, { nodes }), readServiceAddresses(none, { nodes }), readRegistry(none, { nodes })];
  assert.deepEqual(found.flat(), []);
  const silent = await askAddOns(api("silent"));
  const reason = "the API does not respond";
  assert.match(shown(readMetrics(silent, { nodes: { reason } })).join(), /^cluster unknown: the API does not respond/);
  assert.match(shown(readServiceAddresses(silent, { nodes })).join(), /^cluster unknown: the API does not respond/);
});

test("every Node that is Ready has metrics, or the add-on is unhealthy", () => {
  const read = (metrics: AddOnState["metrics"]) =>
    shown(
      readMetrics(
        { metrics, services: { value: [] }, slices: { value: [] }, announced: "absent", registry: "absent" },
        { nodes },
      ),
    );
  assert.deepEqual(read({ value: ["one", "two"].map(ofNode) }), [
    ...["one healthy: has metrics", "two healthy: has metrics"],
  ]);
  assert.deepEqual(read({ value: [ofNode("one")] }), [
    ...["one healthy: has metrics", "two unhealthy: has no metrics"],
  ]);
  assert.deepEqual(read({ reason: "the API responds with status 503" }), [
    "cluster unhealthy: the API responds with status 503",
  ]);
});

test("a registry has to answer and to read its volume", async () => {
  const service = "/api/v1/namespaces/kube-system/services/registry";
  const catalog = "/api/v1/namespaces/kube-system/services/https:registry:https/proxy/v2/_catalog?n=1";
  const read = async (answers: Readonly<Record<string, object>>) =>
    shown(readRegistry(await askAddOns(api(answers)), { nodes }));
  assert.deepEqual(await read({ [service]: {}, [catalog]: { repositories: [] } }), ["cluster healthy: answers"]);
  assert.deepEqual(await read({ [service]: {} }), ["cluster unhealthy: the API responds with status 404"]);
  const reason = "the API does not respond: ECONNREFUSED";
  const silent = await askAddOns(api("silent"));
  assert.deepEqual(shown(readRegistry(silent, { nodes: { reason } })), [`cluster unknown: ${reason}`]);
});

test("a Service of type LoadBalancer needs an address, and with ready pods a node that answers for it", () => {
  const read = (...services: readonly ReturnType<typeof service>[]) =>
    shown(
      readServiceAddresses(
        {
          services: { value: services },
          announced: { value: [announced("page", "lost"), announced("page"), announced("silent", "lost")] },
          slices: { value: [slice("page", true), slice("silent", false, undefined), slice("empty", false)] },
        },
        { nodes },
      ),
    );
  assert.deepEqual(read(service("inner", undefined, { type: "ClusterIP" })), [
    "cluster healthy: no Service asks for an address",
  ]);
  const other = { type: "LoadBalancer", loadBalancerClass: "of-another-program" };
  assert.deepEqual(
    read(
      ...[service("page", "10.0.0.1"), service("silent", "10.0.0.2"), service("empty", "10.0.0.3")],
      ...[service("new"), service("x", undefined, other)],
    ),
    [
      "shop/page healthy: one answers for 10.0.0.1",
      "shop/silent unhealthy: no node answers for 10.0.0.2",
      "shop/empty healthy: no node answers for 10.0.0.3, because it has no ready pod",
      "shop/new unhealthy: has no address",
    ],
  );
});
