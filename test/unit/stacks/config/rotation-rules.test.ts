import assert from "node:assert/strict";
import { test } from "node:test";
import { fixedKeys } from "../../../../model/key-rotations";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

const problemsOf = (rotate: object) => parseConfiguration({ secrets: { rotate } }, { stack: "lab" }).problems ?? [];

test("a key without a rotation is refused with the reason and the way", () => {
  for (const [name, { reason, instead }] of Object.entries(fixedKeys)) {
    const [{ path, rule, fix } = assert.fail(name)] = problemsOf({ [name]: 1 });
    const rightRule = `cannot be rotated on a running stack: ${reason}`;
    assert.deepEqual([path, rule, fix], [`secrets.rotate.${name}`, rightRule, instead]);
  }
});

test("a misspelt key is an unknown one, and a number is at least 1", () => {
  assert.match(problemsOf({ adminstrator: 1 })[0]?.fix ?? "", /did you mean `administrator`/);
  assert.match(problemsOf({ administrator: 0 })[0]?.rule ?? "", /at least 1/);
  assert.deepEqual(problemsOf({ administrator: 1, "ssh-user-key": 2 }), []);
});
