import assert from "node:assert/strict";
import { test } from "node:test";
import { describeProblems } from "../../../../stacks/config/describe-problems";
import { readConfigurationFile } from "../../../../stacks/config/read-configuration-file";

const broken = `# a comment moves everything down
encryptionsalt: v1:abc
config:
  aws:region: eu
  groundplane:datacenter: {}
  groundplane:dataCenter:
    drivr: auto
    pools:
      masters: { count: 4 }
      storage:
        disks:
          - { name: a, sizeGiB: 1 }
          - name: a
            sizeGiB: 0
    network:
      podCidr: 192.168.0.0/16
`;

test("each problem has its line", () => {
  const { problems = [] } = readConfigurationFile(broken, { stack: "lab", hostMemoryMiB: 100 });
  assert.deepEqual(
    problems.map(({ line, path, value }) => [line, path, value]),
    [
      [5, "groundplane:datacenter", "…"],
      [7, "drivr", '"auto"'],
      [9, "pools.masters.count", "4"],
      [14, "pools.storage.disks[1].sizeGiB", "0"],
      [16, "network.podCidr", '"192.168.0.0/16"'],
    ],
  );
});

test("a problem with a default points to the nearest key in the file", () => {
  const text = "config:\n  groundplane:dataCenter:\n    pools: {}\n";
  const { problems = [] } = readConfigurationFile(text, { stack: "lab", hostMemoryMiB: 100 });
  assert.deepEqual([problems[0]?.line, problems[0]?.path], [3, "pools"]);
});

test("invalid YAML gives one located problem for each error, and nothing throws", () => {
  for (const text of ["config:\n  a: [\n", "a: 1\na: 2\n", "\t- x", "config: {a: b: c}"]) {
    const { problems = [] } = readConfigurationFile(text, { stack: "lab" });
    assert.ok(problems.length > 0, text);
    assert.ok(
      problems.every(({ line, rule }) => line !== undefined && rule.startsWith("must be YAML")),
      text,
    );
  }
});

test("a duplicate volume is reported with its line", () => {
  const text = `config:
  groundplane:dataCenter:
    pools:
      workers:
        volumes: { /var: 9, /opt: 2 }
      masters:
        volumes:
          /var: 9
          /var: 10
`;
  const { problems } = readConfigurationFile(text, { stack: "lab" });
  assert.deepEqual(
    problems?.map(({ line, rule, fix }) => [line, rule, fix]),
    [[9, "must be YAML: Map keys must be unique", "keep one of the two"]],
  );
});

test("an empty file or a file without our key gives the defaults", () => {
  for (const text of ["", "config: {}\n", "config:\n  aws:region: eu\n", "encryptionsalt: x\n"]) {
    assert.ok(readConfigurationFile(text, { stack: "lab" }).configuration, text);
  }
});

test("YAML of the wrong kind is a problem of the configuration", () => {
  for (const text of ["config:\n  groundplane:dataCenter: [1]\n", "config:\n  groundplane:dataCenter: no\n"]) {
    assert.equal(readConfigurationFile(text, { stack: "lab" }).problems?.[0]?.path, "dataCenter", text);
  }
});

test("a problem is described with its place, value, rule and fix", () => {
  const text = "config:\n  groundplane:dataCenter:\n    pools: { masters: { count: 2 } }\n";
  const { problems = [] } = readConfigurationFile(text, { stack: "lab" });
  assert.equal(
    describeProblems(problems, "stacks/Pulumi.lab.yaml"),
    [
      "1 problem in stacks/Pulumi.lab.yaml:",
      "  stacks/Pulumi.lab.yaml:3  pools.masters.count: 2",
      "      must be odd: an even number survives no more failures than one master less; use 1 or 3, or give etcd machines of its own, e.g. pools.etcd: {count: 3}, or a third member: pools.gateway: {roles: [etcd]}",
    ].join("\n"),
  );
});

const configured = (text: string) => {
  const { configuration, problems } = readConfigurationFile(text, { stack: "lab" });
  assert.ok(configuration, JSON.stringify(problems));
  return configuration;
};

test("anchors, aliases and merge keys are read as Pulumi reads them", () => {
  const { pools } = configured(`config:
  groundplane:dataCenter:
    pools:
      masters: &m { count: 1, cpus: 3, memoryMiB: 4096 }
      balancers: { count: 1, <<: { cpus: 4, count: 2 } }
      workers: { <<: *m, count: 2 }
`);
  assert.deepEqual([pools.masters.count, pools.masters.cpus], [1, 3]);
  assert.deepEqual([pools.workers.count, pools.workers.cpus, pools.workers.memoryMiB], [2, 3, 4096]);
  assert.deepEqual([pools.balancers.count, pools.balancers.cpus], [1, 4], "a key of its own wins");
  const several = configured(`defaults:
  - &small { cpus: 2, memoryMiB: 2048 }
  - &large { cpus: 8, memoryMiB: 8192 }
config: &c
  groundplane:dataCenter: &d
    pools: { workers: { <<: [*large, *small] }, masters: { <<: *large } }
`);
  assert.deepEqual([several.pools.workers.cpus, several.pools.workers.memoryMiB], [8, 8192], "the first source wins");
});

test("a problem in a merged value has the line where the value is written", () => {
  const { problems = [] } = readConfigurationFile(
    `shared: &shared
  cpus: many
  <<: &more
    memoryMiB: 3
config:
  groundplane:dataCenter:
    pools:
      workers:
        <<: *shared
        count: -1
      masters: *shared
`,
    { stack: "lab" },
  );
  assert.deepEqual(
    problems.map(({ line, path }) => [line, path]),
    [
      [2, "pools.masters.cpus"],
      [2, "pools.workers.cpus"],
      [4, "pools.masters.memoryMiB"],
      [4, "pools.workers.memoryMiB"],
      [10, "pools.workers.count"],
    ],
  );
});

test("a broken alias or merge is a problem, and nothing throws", () => {
  for (const text of ["config: *nowhere\n", "config: { <<: 3 }\n", "a: &a [*a]\nconfig: *a\n"]) {
    assert.match(readConfigurationFile(text, { stack: "lab" }).problems?.[0]?.rule ?? "", /must be YAML/, text);
  }
});

test("integers are read as Pulumi reads them", () => {
  const cpus = { "010": 8, "0o10": 8, "0x10": 16, "0b11": 3, "1_0": 10, "09": 9, "+4": 4, "7": 7 };
  for (const [text, value] of Object.entries(cpus)) {
    const { pools } = configured(`config: { "groundplane:dataCenter": { pools: { workers: { cpus: ${text} } } } }\n`);
    assert.equal(pools.workers.cpus, value, text);
  }
});
