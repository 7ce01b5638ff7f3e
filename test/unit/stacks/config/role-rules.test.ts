import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

const problemsOf = (pools: object): readonly string[] =>
  (parseConfiguration({ pools }, { stack: "rules" }).problems ?? []).map(
    ({ path, rule, fix }) => `${path} ${rule}; ${fix}`,
  );

const vote = { roles: ["etcd"], memoryMiB: 1024 };
const servers = { count: 2, roles: ["balancer", "worker"] };

test("two servers and the gateway's vote are a legal data centre, as is one machine for both roles", () => {
  assert.deepEqual(problemsOf({ gateway: vote, balancers: { count: 0 }, masters: servers }), []);
  assert.deepEqual(problemsOf({ balancers: { count: 0 }, masters: { count: 1, roles: ["balancer"] } }), []);
  assert.deepEqual(problemsOf({ gateway: vote, masters: { count: 2 } }), []);
  assert.deepEqual(problemsOf({ balancers: { count: 0 }, masters: servers, etcd: { count: 3 } }), []);
});

test("what does not go together is reported at once, each with the remedy", () => {
  const found = problemsOf({ gateway: { roles: ["etcd"] }, masters: { count: 3, roles: ["balancer"] } });
  assert.equal(found.length, 4);
  assert.match(found.join("\n"), /^pools\.gateway\.memoryMiB must be at least 1024 .*; use 1024$/m);
  const text = found.join("\n");
  assert.match(text, /^pools\.masters\.count must be even .*; use 4, or remove etcd from pools\.gateway\.roles$/m);
  assert.match(
    text,
    /^pools\.balancers\.count must be 0 where masters are balancers; write pools\.balancers: \{count: 0\}/m,
  );
  assert.match(text, /^pools\.masters\.count must be 1 or 2 where masters are balancers/m);
});

test("there is a balancer, and etcd has one kind of machines", () => {
  assert.match(
    problemsOf({ balancers: { count: 0 } })[0] ?? "",
    /must be 1 or 2, unless masters or the gateway are balancers; use 2, or 1/,
  );
  const both = problemsOf({ gateway: vote, etcd: { count: 3 } });
  assert.match(
    both[0] ?? "",
    /^pools\.gateway\.roles must not contain etcd .*; remove etcd here, or use pools\.etcd: \{count: 0\}$/,
  );
  assert.match(
    problemsOf({ masters: { count: 2 } })[0] ?? "",
    /must be odd.* or a third member: pools\.gateway: \{roles: \[etcd\]\}/,
  );
});

const onGateway = (...roles: readonly string[]) => ({ roles, cpus: 2, memoryMiB: 2048 });
const noOthers = { balancers: { count: 0 }, masters: { count: 0 } };

test("the gateway may be the only master, with workers or machines for etcd beside it", () => {
  const all = onGateway("balancer", "master", "worker");
  assert.deepEqual(problemsOf({ gateway: all, ...noOthers, workers: { count: 0 } }), []);
  assert.deepEqual(problemsOf({ gateway: onGateway("balancer", "master", "etcd", "worker"), ...noOthers }), []);
  assert.deepEqual(problemsOf({ gateway: onGateway("balancer", "master"), ...noOthers }), []);
  assert.deepEqual(problemsOf({ gateway: all, ...noOthers, etcd: { count: 3 } }), []);
});

test("masters and balancers are in one place, and the gateway has what they need", () => {
  const twice = problemsOf({ gateway: { roles: ["master", "balancer"] } }).join("\n");
  assert.match(
    twice,
    /^pools\.masters\.count must be 0 where the gateway is the master; write pools\.masters: \{count: 0\}/m,
  );
  assert.match(
    twice,
    /^pools\.balancers\.count must be 0 where the gateway is the balancer; .* pools\.gateway\.roles$/m,
  );
  assert.match(twice, /^pools\.gateway\.cpus must be at least 2 for a control plane/m);
  assert.match(twice, /^pools\.gateway\.memoryMiB must be at least 1700 for a control plane/m);
  assert.match(
    problemsOf({ masters: { count: 0 } }).join(),
    /^pools\.masters\.count must be 1 to 7, unless the gateway is the master; use 3, or 1, or pools\.gateway/,
  );
});

test("a role of the gateway that needs another one names it", () => {
  const fix = /; use \[balancer, master\], \[balancer, master, worker\], or \[etcd\]$/;
  for (const roles of [["balancer"], ["master"], ["worker"], ["balancer", "worker"]]) {
    const [found = ""] = problemsOf({ gateway: onGateway(...roles), balancers: { count: 0 } }).filter((text) =>
      text.startsWith("pools.gateway.roles"),
    );
    assert.match(found, fix, roles.join());
  }
});

test("an unknown or repeated role is refused", () => {
  assert.match(problemsOf({ gateway: { roles: ["storage"] } })[0] ?? "", /^pools\.gateway\.roles\[0\]/);
  assert.match(problemsOf({ masters: { roles: ["worker", "worker"] } })[0] ?? "", /must name each role once/);
});
