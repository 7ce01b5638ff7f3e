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
      "      must be odd: an even number survives no more failures than one master less; use 1 or 3",
    ].join("\n"),
  );
});
