import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import { readConfigurationFile } from "../../stacks/config/read-configuration-file";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { validConfiguration } from "../support/arbitrary-configuration";

/** Known keys with arbitrary values reach more rules than arbitrary JSON. */
const anything = fc.jsonValue({ maxDepth: 3 });
const nearlyRight = fc.record(
  {
    driver: anything,
    kubernetesVersion: anything,
    pools: fc.dictionary(
      fc.constantFrom("gateway", "balancers", "masters", "workers", "storage", "__proto__"),
      fc.dictionary(
        fc.constantFrom("count", "cpus", "memoryMiB", "disks", "constructor"),
        fc.oneof(fc.integer(), anything),
      ),
    ),
    network: fc.dictionary(fc.constantFrom("cidr", "podCidr", "serviceCidr"), fc.oneof(arbitraryCidr(), anything)),
    floatingIp: fc.oneof(fc.ipV4(), anything),
    hostPorts: anything,
    options: anything,
  },
  { requiredKeys: [] },
);

function arbitraryCidr(): fc.Arbitrary<string> {
  return fc.tuple(fc.ipV4(), fc.nat(32)).map(([ip, prefix]) => `${ip}/${prefix}`);
}

const assertAnswer = (value: unknown, stack: string): void => {
  const { configuration, problems } = parseConfiguration(value, { stack, hostMemoryMiB: 24_000 });
  if (configuration) {
    // Every accepted configuration can be planned, so no rule is missing.
    planDataCenter(configuration);
    return;
  }
  assert.ok(problems.length > 0);
  for (const problem of problems) assert.ok(problem.path && problem.value && problem.rule && problem.fix);
};

test("any JSON gives a configuration that can be planned or a list of problems, and never throws", () => {
  fc.assert(
    fc.property(fc.oneof(anything, nearlyRight), (value) => assertAnswer(value, "lab")),
    { numRuns: 500 },
  );
});

test("any text as a stack's name is accepted or refused without an exception", () => {
  fc.assert(fc.property(fc.string(), (stack) => assertAnswer({}, stack)));
});

test("any text as a file is accepted or refused without an exception", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const { configuration, problems } = readConfigurationFile(text, { stack: "lab" });
      assert.ok(configuration || problems.length > 0);
    }),
  );
});

test("a problem of any value under our key is located at the key's line or below", () => {
  fc.assert(
    fc.property(nearlyRight, (value) => {
      const text = `config:\n  groundplane:dataCenter: ${JSON.stringify(value)}\n`;
      const { problems = [] } = readConfigurationFile(text, { stack: "lab" });
      for (const { line } of problems) assert.equal(line, 2);
    }),
  );
});

test("a written configuration parses to the same configuration", () => {
  fc.assert(
    fc.property(validConfiguration, ({ name, ...written }) => {
      const { configuration } = parseConfiguration(written, { stack: name });
      assert.deepEqual(configuration, { name, ...written });
    }),
  );
});
