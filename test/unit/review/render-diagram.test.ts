import assert from "node:assert/strict";
import { test } from "node:test";
import { addOnNames } from "../../../model/add-ons";
import { renderDiagram } from "../../../review/render-diagram";
import { examplePlan, exampleStacks } from "../../support/example-plans";

test("text shows segments as branches and nodes as leaves", () => {
  const plan = { ...examplePlan("small"), hostPorts: { api: 20_000, ssh: 20_001, nodePorts: [] } };
  assert.equal(
    renderDiagram(plan, "text"),
    `small.internal  192.168.56.0/21

this host    127.0.0.1:20000 = API, 127.0.0.1:20001 = SSH
  │
gateway      uplink 10.0.2.15
  │
  ├─ dmz       192.168.56.0/24
  │    ├─ balancer-1   192.168.56.11
  │    └─ floating IP  192.168.56.10:6443 → masters
  │
  ├─ masters   192.168.57.0/24
  │    └─ master-1     192.168.57.11
  │
  └─ workers   192.168.58.0/23
       └─ worker-1     192.168.58.11
`,
  );
});

test("the mermaid diagram defines every node once and uses only defined names", () => {
  for (const stack of exampleStacks) {
    const plan = examplePlan(stack);
    const text = renderDiagram(plan, "mermaid");
    for (const node of plan.nodes) assert.equal(text.split(`["${node.name}<br/>`).length, 2, node.name);
    const defined = new Set([...text.matchAll(/(\w+)[[(]+"/g)].map(([, name]) => name));
    const arrows = text.split("\n").filter((line) => /--|-\.->/.test(line) && !line.includes('"'));
    for (const name of arrows.flatMap((line) => line.match(/\w+/g) ?? [])) assert.ok(defined.has(name), name);
  }
});

test("a stack with add-ons names them, and shows where Services have their addresses", () => {
  const plan = { ...examplePlan("small"), addOns: addOnNames };
  const [, line] = renderDiagram(plan, "text").split("\n");
  assert.equal(line, "with metrics-server, MetalLB, CNCF Distribution");
  assert.match(renderDiagram(plan, "text"), /worker-1 {5}192\.168\.58\.11\n {7}└─ services {5}192\.168\.62\.0\/23\n/);
  const text = renderDiagram(plan, "mermaid");
  assert.match(text, /worker_1\["worker-1.*"\]\n {4}services\(\["services<br\/>192\.168\.62\.0\/23"\]\)\n {2}end/);
});
