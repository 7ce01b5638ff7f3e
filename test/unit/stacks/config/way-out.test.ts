import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

const problemsOf = (network: object) => parseConfiguration({ network }, { stack: "lab" }).problems ?? [];

test("nothing is open without being listed", () => {
  const { configuration } = parseConfiguration({}, { stack: "lab" });
  assert.deepEqual(configuration?.network.reachable, []);
  assert.deepEqual(configuration?.network.flows, []);
});

test("ranges and flows are listed", () => {
  const flows = [{ from: "worker", to: "storage", ports: [9100, "9200-9210"] }];
  assert.deepEqual(problemsOf({ reachable: ["192.168.1.0/24", "10.1.2.3/32"], flows }), []);
});

test("a reachable range starts on its own boundary", () => {
  const [problem] = problemsOf({ reachable: ["192.168.1.5/24"] });
  assert.equal(problem?.path, "network.reachable[0]");
  assert.match(problem?.fix ?? "", /192\.168\.1\.0\/24/);
});

for (const port of ["9000-80", "0-5", "80", "a", 0, 65_536, 1.5, "1-2-3", "1-70000", "80 } accept; #"]) {
  test(`${JSON.stringify(port)} is neither a port nor a range of ports`, () => {
    const [problem] = problemsOf({ flows: [{ from: "worker", to: "storage", ports: [port] }] });
    assert.equal(problem?.path, "network.flows[0].ports[0]");
  });
}

test("a flow connects parties of the plan", () => {
  assert.equal(problemsOf({ flows: [{ from: "internet", to: "storage", ports: [80] }] }).length, 1);
  assert.equal(problemsOf({ flows: [{ from: "worker", to: "storage", ports: [] }] }).length, 1);
});
