import assert from "node:assert/strict";
import { test } from "node:test";
import { formerConfigurationKeys } from "../../../../model/former-names";
import { defaultKubernetesVersion } from "../../../../model/releases";
import type { ConfigurationProblem } from "../../../../stacks/config/describe-problems";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

const problemsOf = (value: unknown, context: { stack?: string; hostMemoryMiB?: number } = {}) =>
  parseConfiguration(value, { stack: "lab", ...context }).problems ?? [];

test("an empty configuration gives a highly available data centre with defaults", () => {
  for (const nothing of [undefined, null, {}]) {
    const { configuration } = parseConfiguration(nothing, { stack: "lab" });
    assert.ok(configuration);
    assert.equal(configuration.name, "lab");
    assert.equal(configuration.driver, "auto");
    assert.equal(configuration.kubernetesVersion, defaultKubernetesVersion);
    assert.deepEqual(
      Object.entries(configuration.pools).map(([pool, { count }]) => [pool, count]),
      [
        ["gateway", 1],
        ["balancers", 2],
        ["masters", 3],
        ["etcd", 0],
        ["workers", 2],
        ["storage", 0],
      ],
    );
    assert.equal(configuration.floatingIp, undefined);
    assert.equal(configuration.options.failover, "fast");
    assert.equal(configuration.options.keepDataDisks, true);
  }
});

test("configured keys override the defaults, key by key", () => {
  const { configuration } = parseConfiguration(
    { pools: { masters: { cpus: 4 } }, hostPorts: { api: 6443 }, floatingIp: "192.168.56.20" },
    { stack: "lab" },
  );
  assert.ok(configuration);
  assert.deepEqual(configuration.pools.masters, {
    count: 3,
    cpus: 4,
    memoryMiB: 2048,
    diskGiB: 20,
    volumes: {},
    disks: [],
    roles: [],
  });
  assert.deepEqual(configuration.hostPorts, { api: 6443, ssh: 25767, nodePorts: [], services: [] });
  assert.equal(configuration.floatingIp, "192.168.56.20");
});

test("a stack's name must be a valid host name", () => {
  for (const stack of ["", "Lab", "1lab", "lab-", "lab_1", "x".repeat(21), "la b", "lab\n", "$(id)"]) {
    assert.deepEqual(
      problemsOf({}, { stack }).map(({ path }) => path),
      ["stack"],
      JSON.stringify(stack),
    );
  }
  for (const stack of ["a", "lab", "team-1", "x".repeat(20)]) assert.deepEqual(problemsOf({}, { stack }), []);
});

test("all problems are reported at once, also beside unreadable values", () => {
  const value = {
    drivr: "x",
    pools: { masters: { count: 4, cpus: "2" }, workers: { count: 5000 }, storage: { disks: [{ name: "a" }] } },
    network: { podCidr: "10.0.0.0/14", serviceCidr: "10.0.3.0/16" },
    floatingIp: "192.168.56.11",
    hostPorts: { api: 5000, ssh: 5000 },
  };
  assert.deepEqual(
    problemsOf(value)
      .map(({ path }: ConfigurationProblem) => path)
      .sort(),
    [
      "drivr",
      "floatingIp",
      "hostPorts.ssh",
      "network.podCidr",
      "network.podCidr",
      "network.serviceCidr",
      "pools.masters.count",
      "pools.masters.cpus",
      "pools.storage.disks[0].sizeGiB",
      "pools.workers.count",
    ],
  );
});

test("a former name of a key is an error that names the present key", () => {
  for (const [former, present] of Object.entries(formerConfigurationKeys)) {
    const value = former.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), true);
    const { problems = [] } = parseConfiguration(value, { stack: "lab" });
    assert.deepEqual(
      problems.map(({ path, rule, fix }) => [path, rule, fix]),
      [[former, "unknown key", `it is called \`${present}\` now`]],
    );
  }
});

test("values are shown as written, shortened to 60 characters", () => {
  assert.equal(problemsOf({ driver: "x".repeat(500) })[0]?.value.length, 60);
  assert.equal(problemsOf({ pools: { masters: { count: 4 } } })[0]?.value, "4");
  assert.equal(problemsOf({}, { hostMemoryMiB: 1 })[0]?.value, "11776 MiB");
});

test("simulated machines need no memory of the host", () => {
  assert.deepEqual(problemsOf({ driver: "fake" }, { hostMemoryMiB: 1 }), []);
  assert.equal(problemsOf({ driver: "nspawn" }, { hostMemoryMiB: 1 }).length, 1);
});
