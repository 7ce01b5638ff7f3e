import assert from "node:assert/strict";
import { test } from "node:test";
import { renderHaproxyCfg } from "../../../cloud-init/files/haproxy-cfg";
import { renderNftablesConf } from "../../../cloud-init/files/nftables-conf";
import { renderNginxConf } from "../../../cloud-init/files/nginx-conf";
import { renderDiagram } from "../../../review/render-diagram";
import { uplinkOf } from "../../../stacks/plan/plan-uplink";
import { examplePlan } from "../../support/example-plans";
import { writtenPlan } from "../../support/written-plan";

const plan = writtenPlan({
  pools: { masters: { roles: ["worker"] }, workers: { count: 2 } },
  hostPorts: { nodePorts: [{ port: 8080, nodePort: 30_080 }] },
});

test("a NodePort goes from the host to the gateway, the floating IP, and every worker", () => {
  assert.deepEqual(uplinkOf(plan).forwards.slice(2), [{ hostPort: 8080, guestPort: 30_080 }]);
  const rules = renderNftablesConf(plan);
  assert.match(rules, /iifname "uplink" ip daddr 10\.0\.2\.15 tcp dport 30080 dnat ip to 192\.168\.56\.10:30080/);
  assert.match(rules, /ip saddr @api ip daddr @worker tcp dport \{ 30080 \} accept/);
  const balanced = renderHaproxyCfg(plan).split("listen node-port-30080\n")[1] ?? "";
  assert.match(balanced, /^ {2}bind :30080$/m);
  const servers = [...balanced.matchAll(/^ {2}server (\S+) (\S+)$/gm)].map(([, name, address]) => [name, address]);
  assert.deepEqual(servers, [
    ["master-1", "192.168.57.11:30080"],
    ["master-2", "192.168.57.12:30080"],
    ["master-3", "192.168.57.13:30080"],
    ["worker-1", "192.168.58.11:30080"],
    ["worker-2", "192.168.58.12:30080"],
  ]);
});

test("nginx forwards it as HAProxy does", () => {
  const conf = renderNginxConf(plan);
  assert.match(conf, /^ {4}listen 30080 reuseport/m);
  const [, upstream = ""] = /upstream node-port-30080 \{([^}]*)\}/.exec(conf) ?? [];
  assert.equal([...upstream.matchAll(/^ {4}server \S+:30080 /gm)].length, 5);
  assert.doesNotMatch(renderNginxConf(examplePlan("lab")), /node-port/);
});

test("without NodePorts nothing of it exists", () => {
  const lab = examplePlan("lab");
  assert.doesNotMatch(renderHaproxyCfg(lab), /^listen /m);
  assert.doesNotMatch(renderNftablesConf(lab), /saddr @api ip daddr @worker/);
});

test("the diagram shows the port", () => {
  assert.match(renderDiagram(plan, "text"), /127\.0\.0\.1:8080 = NodePort 30080\n/);
  assert.match(renderDiagram(plan, "mermaid"), /NodePort 30080 127\.0\.0\.1:8080"\] --> gateway/);
});
