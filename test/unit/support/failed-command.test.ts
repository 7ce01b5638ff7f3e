import assert from "node:assert/strict";
import { test } from "node:test";
import { mustSucceed } from "../../support/cluster-under-test";

test("the failure of a command starts with Pulumi's errors, which come last in its output", () => {
  const progress = Array.from(
    { length: 30 },
    (_, index) => ` ~  groundplane:index:NodeFiles node-${index} refresh (3s)`,
  );
  const diagnostics = [
    "Diagnostics:",
    "  groundplane:index:NodeFiles (master-1-files):",
    "    error: master-1 is unhealthy with its new files",
  ];
  const stdout = [...progress, ...diagnostics, "", "Resources:"].join("\n");
  assert.throws(
    () => mustSucceed("pulumi up", { exitCode: 1, stdout, stderr: "" }),
    ({ message }: Error) => message.split("\n")[1] === "    error: master-1 is unhealthy with its new files",
  );
});
