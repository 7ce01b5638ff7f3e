import assert from "node:assert/strict";
import { test } from "node:test";
import { derivedHostPorts } from "../../../../stacks/config/host-ports";

test("a stack's ports are neighbours in 20000-29999 and never change", () => {
  assert.deepEqual(derivedHostPorts("lab"), { api: 25766, ssh: 25767 });
  for (const stack of ["lab", "small", "a", "team-1", "x".repeat(20)]) {
    const { api, ssh } = derivedHostPorts(stack);
    assert.ok(api >= 20_000 && ssh <= 29_999, `${stack}: ${api}`);
    assert.equal(api % 2, 0);
    assert.equal(ssh, api + 1);
    assert.deepEqual(derivedHostPorts(stack), { api, ssh });
  }
});
