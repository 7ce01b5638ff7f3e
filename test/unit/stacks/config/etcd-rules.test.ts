import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

const pool = (name: string, value: object) => ({ pools: { [name]: value } });
const network = (value: object) => ({ network: value });

const cases = [
  {
    what: "an even number of etcd machines",
    value: pool("etcd", { count: 2 }),
    path: "pools.etcd.count",
    rule: /0, 1, 3 or 5/,
    fix: /use 1 or 3/,
  },
  {
    what: "too many etcd machines",
    value: pool("etcd", { count: 7 }),
    path: "pools.etcd.count",
    rule: /at most 5/,
    fix: /5 or less/,
  },
  {
    what: "a new cluster on empty etcd machines",
    value: { ...pool("etcd", { count: 3 }), options: { rebootstrap: true } },
    path: "options.rebootstrap",
    rule: /the masters belong to the cluster whose data is gone/,
    fix: /restore a backup/,
  },
  {
    what: "a flow to the segment of etcd without its machines",
    value: network({ flows: [{ from: "worker", to: "etcd", ports: [2381] }] }),
    path: "network.flows[0].to",
    rule: /without machines for it/,
    fix: /pools\.etcd/,
  },
  {
    what: "an attachment of the segment of etcd without its machines",
    value: { virtualbox: { attachments: [{ segment: "etcd", to: "host" }] } },
    path: "virtualbox.attachments[0].segment",
    rule: /without machines for it/,
    fix: /pools\.etcd/,
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

test("all problems of masters and etcd are reported at once", () => {
  const written = { pools: { masters: { count: 8 }, etcd: { count: 4 } }, options: { rebootstrap: true } };
  const { problems = [] } = parseConfiguration(written, { stack: "lab" });
  assert.deepEqual(problems.map(({ path }) => path).sort(), [
    "options.rebootstrap",
    "pools.etcd.count",
    "pools.masters.count",
  ]);
});

test("beside etcd machines, masters are one to seven, also an even number", () => {
  for (const count of [1, 2, 4, 6, 7]) {
    const { problems } = parseConfiguration({ pools: { masters: { count }, etcd: { count: 1 } } }, { stack: "lab" });
    assert.equal(problems, undefined, String(count));
  }
});
