import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";
import { exampleSettings } from "../../../support/example-stacks";

const problemsOf = (rotate: object) => parseConfiguration({ secrets: { rotate } }, { stack: "lab" }).problems ?? [];

test("a misspelt key is an unknown one, and a number is at least 1", () => {
  assert.match(problemsOf({ adminstrator: 1 })[0]?.fix ?? "", /did you mean `administrator`/);
  assert.match(problemsOf({ administrator: 0 })[0]?.rule ?? "", /at least 1/);
  assert.deepEqual(
    problemsOf({
      administrator: 1,
      "ssh-user-key": 2,
      "ssh-host-keys": 1,
      "etcd-ca": 1,
      "front-proxy-ca": 1,
      "kubernetes-ca": 1,
    }),
    [],
  );
});

const ruleFor = (rotate: object, settings: object): string | undefined => {
  const { problems } = parseConfiguration({ ...settings, secrets: { rotate } }, { stack: "lab" });
  return problems?.map((problem) => `${problem.path} ${problem.rule}`).join();
};

test("a kind of etcd whose authority no test has replaced keeps it, and a single master does not", () => {
  const rule = (settings: object) => ruleFor({ "etcd-ca": 1 }, settings);
  const refused = (members: string) =>
    `secrets.rotate.etcd-ca cannot be rotated in this stack: no test has replaced the authority of ${members} yet`;
  const witness = { roles: ["etcd"], memoryMiB: 1024 };
  assert.equal(rule({ pools: { masters: { count: 2 }, etcd: { count: 3 } } }), refused("machines of etcd"));
  assert.equal(
    rule({ pools: { masters: { count: 2 }, gateway: witness } }),
    refused("a gateway that is a member of etcd"),
  );
  assert.equal(rule({ options: { controlPlane: "services" } }), refused("an etcd that is a service"));
  assert.equal(rule(exampleSettings("single")), undefined);
});

test("masters that are the balancers keep the key of Corosync, and one balancer does not", () => {
  const rule = (settings: object) => ruleFor({ "corosync-key": 1 }, settings);
  const refused =
    "secrets.rotate.corosync-key cannot be rotated in this stack: no test has replaced the key of masters or of a gateway that are " +
    "the balancers yet";
  for (const name of ["pair", "single"] as const) assert.equal(rule(exampleSettings(name)), refused, name);
  assert.equal(rule({ pools: { balancers: { count: 1 } } }), undefined);
  assert.equal(rule({ options: { failoverBy: "keepalived" } }), undefined);
});

test("API servers that are services keep the authority of front proxies, and those beside any etcd do not", () => {
  const rule = (settings: object) => ruleFor({ "front-proxy-ca": 1 }, settings);
  assert.equal(
    rule({ options: { controlPlane: "services" } }),
    "secrets.rotate.front-proxy-ca cannot be rotated in this stack: no test has replaced the authority of API servers that are " +
      "services yet",
  );
  assert.equal(rule({ pools: { masters: { count: 2 }, etcd: { count: 3 } } }), undefined);
  assert.equal(rule(exampleSettings("pair")), undefined);
});

test("the cluster's authority is replaced where all masters have a control plane of pods, and only they are members of etcd", () => {
  const rule = (settings: object) => ruleFor({ "kubernetes-ca": 1 }, settings);
  const refused = (what: string) =>
    `secrets.rotate.kubernetes-ca cannot be rotated in this stack: no test has replaced the authority of ${what} yet`;
  const others = refused("a cluster whose etcd has members other than the masters");
  assert.equal(rule({ pools: { masters: { count: 2 }, etcd: { count: 3 } } }), others);
  assert.equal(rule(exampleSettings("pair")), others);
  assert.equal(rule({ options: { controlPlane: "services" } }), refused("control planes that are services"));
  const given = { secrets: { authority: { certificate: "ca.crt", key: "ca.key" }, rotate: { "kubernetes-ca": 1 } } };
  const [problem] = parseConfiguration(given, { stack: "lab" }).problems ?? [];
  assert.match(problem?.rule ?? "", /^cannot be rotated in this stack: it is from files of this host/);
  assert.equal(rule(exampleSettings("single")), undefined);
});
