import assert from "node:assert/strict";
import { test } from "node:test";
import { poolNames, primaryRole, roleNames, roles, storedRoles } from "../../../model/roles";
import { configurationSchema } from "../../../stacks/config/configuration-schema";
import { rolesOfPool } from "../../../stacks/config/pool-roles";

test("every pool has machines with a role, and every role belongs to one pool", () => {
  const { pools: stacked } = configurationSchema.parse({});
  const { pools: external } = configurationSchema.parse({ pools: { etcd: { count: 3 } } });
  for (const pools of [stacked, external]) {
    const all = poolNames.flatMap((pool) => rolesOfPool(pools, pool));
    assert.deepEqual([...all].sort(), [...roleNames].sort());
  }
  for (const pool of poolNames) assert.ok(primaryRole(rolesOfPool(external, pool)), pool);
  assert.deepEqual([rolesOfPool(stacked, "masters"), rolesOfPool(stacked, "etcd")], [["master", "etcd"], []]);
  assert.deepEqual([rolesOfPool(external, "masters"), rolesOfPool(external, "etcd")], [["master"], ["etcd"]]);
  assert.deepEqual(Object.keys(roles), [...roleNames], "sets of roles are in the order of the table");
});

test("a stored set of roles is used unchanged, and a single role of an earlier revision becomes a set", () => {
  assert.deepEqual(storedRoles({ roles: ["master"], role: "master" }), ["master"]);
  assert.deepEqual(storedRoles({ role: "master" }), ["master", "etcd"]);
  assert.deepEqual(storedRoles({ role: "storage" }), ["storage"]);
  assert.deepEqual([storedRoles({}), storedRoles({ role: "unheard-of" })], [[], []]);
});
