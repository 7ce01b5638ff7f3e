import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hypervisor } from "../../../../hypervisors/hypervisor";
import type { GuardedMember } from "../../../../model/pool-change";
import type { GuardInputs } from "../../../../model/resource-types";
import { type Role, storedRoles } from "../../../../model/roles";
import { guardResource } from "../../../../provider/resources/guard";
import type { Context } from "../../../../provider/rpc/resource-handler";

/** Whether a state stores the roles of members and machines. Earlier revisions do not store them. */
type Stored = "with roles" | "without roles";

const rolesOf = (name: string): readonly Role[] => storedRoles({ role: name.replace(/-\d+$/, "") });
const identity = (name: string, stored: Stored) => ({
  name,
  ...(stored === "with roles" ? { roles: rolesOf(name) } : {}),
  uuid: name,
});
const names = (role: Role, count: number) => Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);

function guarded(masters: readonly string[], stored: Stored): GuardInputs {
  const members = (all: readonly string[]): readonly GuardedMember[] =>
    all.map((name) => ({ ...identity(name, stored), macs: [name] }));
  return {
    ...{ driver: "fake", stack: "guard-of-a-unit-test", replicas: 3, volume: "replica-3" },
    masters: members(masters),
    balancers: members(names("balancer", 2)),
    storage: members(names("storage", 3)),
  };
}

/** A hypervisor with these machines. Only the first master runs. */
const hypervisor = (machines: readonly string[], stored: Stored): Hypervisor =>
  ({
    listMachines: async () => machines.map((name) => ({ name })),
    inspectMachine: async ({ name }: { name: string }) =>
      machines.includes(name) && {
        spec: { ...identity(name, stored), nics: [{ mac: name }] },
        power: /^master-[23]$/.test(name) ? "stopped" : "running",
      },
  }) as unknown as Hypervisor;

async function judge(masters: readonly string[], olds: GuardInputs | undefined, stored: Stored) {
  const machines = [...names("master", 3), ...names("balancer", 2), ...names("storage", 3), "worker-1", "gateway"];
  const resource = guardResource(() => hypervisor(machines, stored));
  const failures = await resource.check?.(guarded(masters, "with roles"), {} as Context, olds);
  return (failures ?? []).map(({ reason }) => reason);
}

for (const stored of ["with roles", "without roles"] as const) {
  test(`members of a state ${stored} are guarded`, async () => {
    const olds = guarded(names("master", 3), stored);
    const [refused, ...others] = await judge(["master-1"], olds, stored);
    assert.match(
      String(refused),
      /masters: etcd has no majority: only master-1 of master-1, master-2, master-3 respond/,
    );
    assert.deepEqual(others, []);
  });

  test(`a plan that does not change a state ${stored} passes without a query of the machines`, async () => {
    const olds = guarded(names("master", 3), stored);
    const resource = guardResource(() => assert.fail("asks no driver"));
    const failures = await resource.check?.(guarded(names("master", 3), "with roles"), {} as Context, olds);
    assert.deepEqual(failures, []);
  });
}

test("a configuration that a running stack cannot have is refused without a query of the machines", async () => {
  const before = guarded(names("master", 3), "with roles");
  const resource = guardResource(() => assert.fail("asks no driver"));
  const check = async (from: GuardInputs["settings"], to: GuardInputs["settings"]) => {
    const [olds, inputs] = [from, to].map((settings) => ({ ...before, ...(settings && { settings }) }));
    const failures = await resource.check?.(inputs as GuardInputs, {} as Context, olds);
    return (failures ?? []).map(({ reason }) => reason);
  };
  const [refused, ...others] = await check(
    { "network.podCidr": "10.244.0.0/16" },
    { "network.podCidr": "10.9.0.0/16" },
  );
  assert.match(
    String(refused),
    /: network\.podCidr: 10\.244\.0\.0\/16 cannot become 10\.9\.0\.0\/16: .* or start over/,
  );
  assert.deepEqual(others, []);
  assert.deepEqual(await check({ "pools.workers.count": "1" }, { "pools.workers.count": "2" }), []);
  assert.deepEqual(
    await check(undefined, { "network.podCidr": "10.9.0.0/16" }),
    [],
    "an earlier version recorded nothing",
  );
});

test("another release is refused where a node cannot follow, or where another key changes as well", async () => {
  const former = { kubernetesVersion: "1.2.3", "pools.workers.count": "1" };
  const before: GuardInputs = { ...guarded(names("master", 3), "with roles"), settings: former };
  const resource = guardResource(() => assert.fail("asks no driver"));
  const check = async (change: object, kept: GuardInputs["kept"] = {}) => {
    const inputs: GuardInputs = { ...before, settings: { ...former, ...change }, kept };
    return ((await resource.check?.(inputs, {} as Context, before)) ?? []).map(({ reason }) => reason).join();
  };
  const next = { kubernetesVersion: "1.3.0" };
  assert.equal(await check(next), "");
  assert.match(
    await check(next, { "master-1": "it is alone" }),
    /master-1 would keep the former release, because it is alone\./,
  );
  assert.match(await check({ ...next, "pools.workers.count": "2" }), /changed alone, and pools\.workers\.count would/);
  assert.equal(await check({ "pools.workers.count": "2" }, { "master-1": "it is alone" }), "");
});

test("services are refused for a control plane of an earlier version, and kept for a stack that has them", async () => {
  const recorded = { "options.kubeProxy": "nftables" };
  const before: GuardInputs = { ...guarded(names("master", 3), "with roles"), settings: recorded };
  const resource = guardResource(() => assert.fail("asks no driver"));
  const inputs: GuardInputs = { ...before, settings: { ...recorded, "options.controlPlane": "services" } };
  const [refused, ...others] = (await resource.check?.(inputs, {} as Context, before)) ?? [];
  assert.match(String(refused?.reason), /options\.controlPlane: static-pods cannot become services/);
  assert.deepEqual(others, []);
  assert.deepEqual(await resource.check?.(inputs, {} as Context, inputs), []);
});

test("machines outside the state are guarded by their recorded roles", async () => {
  const [refused] = await judge(["master-1"], undefined, "with roles");
  assert.match(String(refused), /only master-1 of master-1, master-2, master-3 respond/);
});
