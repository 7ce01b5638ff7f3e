import assert from "node:assert/strict";
import { test } from "node:test";
import { renderStatus } from "../../../cli/commands/status";
import { storedRoles } from "../../../model/roles";
import { isHealthy, type MachineStatus, type StackStatus } from "../../../verify/stack-status";

const machine = (name: string, role: string, changes: Partial<MachineStatus> = {}): MachineStatus => ({
  name,
  role,
  roles: storedRoles({ role }),
  address: "192.168.56.1",
  power: "running",
  ready: true,
  reason: "",
  kubernetes: undefined,
  ...changes,
});
const member = { kubernetes: { ready: true, version: "v1.2.3" } };

const healthy: StackStatus = {
  stack: "lab",
  driver: "nspawn",
  api: { endpoint: "https://127.0.0.1:20000", ready: true, reason: "" },
  machines: [machine("gateway", "gateway"), machine("master-1", "master", member)],
};

test("a stack with ready machines is healthy; the gateway needs no Node object", () => {
  assert.ok(isHealthy(healthy));
});

test("a stack with a missing Node object, without an API response or with a stopped machine is unhealthy", () => {
  const [gateway, master] = healthy.machines as [MachineStatus, MachineStatus];
  const with_ = (machines: readonly MachineStatus[]): StackStatus => ({ ...healthy, machines });
  assert.ok(!isHealthy(with_([gateway, { ...master, kubernetes: undefined }])));
  assert.ok(!isHealthy(with_([gateway, { ...master, kubernetes: { ready: false, version: "v1.2.3" } }])));
  assert.ok(!isHealthy(with_([{ ...gateway, power: "stopped", ready: false, reason: "is stopped" }, master])));
  assert.ok(!isHealthy({ ...healthy, api: { ...healthy.api, ready: false, reason: "no response" } }));
});

test("the table has a line per node with the first line of its reason", () => {
  const [gateway, master] = healthy.machines as [MachineStatus, MachineStatus];
  const text = renderStatus({
    ...healthy,
    machines: [gateway, { ...master, ready: false, reason: "etcd is down\nand more", kubernetes: undefined }],
  });
  assert.equal(
    text,
    `lab on nspawn; API https://127.0.0.1:20000 answers

NODE      ADDRESS       POWER    SERVICES      KUBERNETES
gateway   192.168.56.1  running  ready
master-1  192.168.56.1  running  etcd is down  unknown`,
  );
});
