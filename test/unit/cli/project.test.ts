import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration, readPlan } from "../../../cli/project";
import { UserError } from "../../../model/user-error";

test("a stack without a file is a problem with a next step", async () => {
  await assert.rejects(
    readPlan("nowhere"),
    (error: unknown) => error instanceof UserError && /stacks\/Pulumi\.nowhere\.yaml/.test(error.message),
  );
});

test("a configuration that exceeds the host's memory is reported with its line", async () => {
  await assert.rejects(readConfiguration("lab", { hostMemoryMiB: 1_000 }), (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.match(error.problem, /stacks\/Pulumi\.lab\.yaml:\d+ .*must fit the host's 1000 MiB/s);
    return true;
  });
});

test("the example stacks have a plan", async () => {
  assert.equal((await readPlan("lab")).nodes.length, 11);
  assert.equal((await readPlan("small")).nodes.length, 4);
});
