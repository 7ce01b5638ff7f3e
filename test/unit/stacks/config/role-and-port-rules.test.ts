import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

const cases = [
  {
    what: "a host port of two NodePorts",
    value: {
      hostPorts: {
        nodePorts: [
          { port: 8080, nodePort: 30_080 },
          { port: 8080, nodePort: 30_081 },
        ],
      },
    },
    path: "hostPorts.nodePorts[1].port",
    rule: /must differ from hostPorts\.nodePorts\[0\]\.port/,
    fix: /own port/,
  },
  {
    what: "a NodePort twice",
    value: {
      hostPorts: {
        nodePorts: [
          { port: 8080, nodePort: 30_080 },
          { port: 8081, nodePort: 30_080 },
        ],
      },
    },
    path: "hostPorts.nodePorts[1].nodePort",
    rule: /listed once; nodePorts\[0\] has it/,
    fix: /./,
  },
  {
    what: "a NodePort without workers",
    value: { pools: { workers: { count: 0 } }, hostPorts: { nodePorts: [{ port: 8080, nodePort: 30_080 }] } },
    path: "hostPorts.nodePorts",
    rule: /machine that runs pods/,
    fix: /workers/,
  },
  {
    what: "no NodePort of Kubernetes",
    value: { hostPorts: { nodePorts: [{ port: 8080, nodePort: 80 }] } },
    path: "hostPorts.nodePorts[0].nodePort",
    rule: /at least 30000/,
    fix: /./,
  },
  {
    what: "services of the control plane with Docker",
    value: { options: { controlPlane: "services", runtime: "docker" } },
    path: "options.controlPlane",
    rule: /must be static-pods with runtime: docker: .* Docker Engine with cri-dockerd lets the kubelet delete images/,
    fix: /controlPlane: static-pods, or runtime: containerd/,
  },
  {
    what: "a role that masters cannot have",
    value: { pools: { masters: { roles: ["storage"] } } },
    path: "pools.masters.roles[0]",
    rule: /must be one of .*balancer.*worker/,
    fix: /./,
  },
  {
    what: "a role twice",
    value: { pools: { masters: { roles: ["worker", "worker"] } } },
    path: "pools.masters.roles",
    rule: /each role once/,
    fix: /repeated/,
  },
];

for (const { what, value, path, rule, fix } of cases) {
  test(`refused: ${what}`, () => {
    const { problems = [] } = parseConfiguration(value, { stack: "lab" });
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [path],
    );
    assert.match(problems[0]?.rule ?? "", rule);
    assert.match(problems[0]?.fix ?? "", fix);
  });
}
