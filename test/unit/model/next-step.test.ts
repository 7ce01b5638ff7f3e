import assert from "node:assert/strict";
import { test } from "node:test";
import { healthChecks } from "../../../model/health-checks";
import { forStack } from "../../../model/next-step";
import { refusedSettings } from "../../../model/refused-settings";

test("commands in a message name the stack, once", () => {
  assert.equal(
    forStack("start over: `npx groundplane destroy` keeps the data disks", "prod"),
    "start over: `npx groundplane destroy --stack prod` keeps the data disks",
  );
  assert.equal(
    forStack("see `npx groundplane logs worker-1`; run `up` again", "prod"),
    "see `npx groundplane logs --stack prod worker-1`; run `up` again",
  );
  assert.equal(forStack("with `groundplane destroy`", "prod"), "with `groundplane destroy --stack prod`");
  assert.equal(
    forStack("`npx groundplane backup list` and `npx groundplane backup FILE`", "prod"),
    "`npx groundplane backup list --stack prod` and `npx groundplane backup --stack prod FILE`",
  );
  assert.equal(forStack("`npm start` obtains it", "prod"), "`npm start -- --stack prod` obtains it");
  assert.equal(
    forStack("rebuild it: `npx groundplane image build --verify`", "prod"),
    "rebuild it: `npx groundplane image build --stack prod --verify`",
  );
  for (const text of [
    "take the other stack down first: npx groundplane destroy --stack other",
    "`npx groundplane start --stack prod` starts it",
    "`npx groundplane bundle load FILE` loads it",
    "groundplane starts Pulumi",
  ]) {
    assert.equal(forStack(text, "prod"), text);
    assert.equal(forStack(forStack(text, "prod"), "prod"), text);
  }
});

test("messages about the default stack stay as they are", () => {
  assert.equal(forStack("`npx groundplane destroy`", "lab"), "`npx groundplane destroy`");
});

test("no command of a next step acts on another stack", () => {
  const fixed = { "network.podCidr": "10.244.0.0/16" };
  const texts = [
    ...Object.values(healthChecks).map(({ next }) => next),
    ...refusedSettings(fixed, { "network.podCidr": "10.99.0.0/16" }),
  ];
  for (const text of texts) {
    for (const [command] of forStack(text, "prod").matchAll(/(?:npx )?groundplane [a-z]+[^`]*/g)) {
      assert.match(command, /--stack prod/, text);
    }
  }
});
