import assert from "node:assert/strict";
import { test } from "node:test";
import { plainText } from "../../../cli/colours";
import { renderPackageLock, renderStatus } from "../../../cli/commands/status";
import { drawScreen } from "../../../cli/watch";
import { healthCheckNames } from "../../../model/health-checks";
import { storedRoles } from "../../../model/roles";
import { healthy, makeRow, unhealthy, unknown } from "../../../verify/health/findings";
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

const lab: StackStatus = {
  stack: "lab",
  driver: "nspawn",
  api: { endpoint: "https://127.0.0.1:20000", ready: true, reason: "" },
  machines: [machine("gateway", "gateway"), machine("master-1", "master", member)],
  checks: [makeRow("power", [healthy("gateway", "is running")], "2 machines run"), makeRow("bricks", [])],
};

test("a stack whose promised rows are healthy is healthy", () => {
  assert.ok(isHealthy(lab));
  assert.ok(!isHealthy({ ...lab, checks: [makeRow("power", [unhealthy("gateway", "is stopped")])] }));
  assert.ok(!isHealthy({ ...lab, checks: [makeRow("services", [unknown("gateway", "no response")])] }));
});

test("the tables have a line per node with the first line of its reason, and a line per row that applies", () => {
  const [gateway, master] = lab.machines as [MachineStatus, MachineStatus];
  const text = renderStatus({
    ...lab,
    machines: [gateway, { ...master, ready: false, reason: "etcd is down\nand more", kubernetes: undefined }],
  });
  assert.equal(
    text,
    `lab on nspawn; API https://127.0.0.1:20000 answers

NODE      ADDRESS       POWER    SERVICES      KUBERNETES
gateway   192.168.56.1  running  ready
master-1  192.168.56.1  running  etcd is down  unknown

CHECK  STATE    OBSERVED
power  healthy  2 machines run`,
  );
});

test("a snapshot that is being created is the reason for machines that do not respond", () => {
  const head = (isInterrupted: boolean) =>
    renderStatus({ ...lab, unfinished: { name: "s", change: "creation", isInterrupted } }).split("\n")[2];
  assert.equal(
    head(false),
    "the creation of the snapshot s is under way: all machines stand still until their disks are saved",
  );
  assert.match(head(true) ?? "", /^the creation of the snapshot s was interrupted: `npx groundplane start` /);
});

test("a row that is not healthy says what it means and the next step; an unknown one what was asked", () => {
  const alarm = makeRow("etcd-alarms", [unhealthy("master-2", "NOSPACE")]);
  const silent = makeRow("dhcp", [unknown("gateway", "no response")]);
  const slow = makeRow("etcd-disk", [unhealthy("master-1", "slow")]);
  const text = renderStatus({ ...lab, checks: [alarm, silent, slow] });
  assert.match(
    text,
    /^etcd-alarms is unhealthy: master-2: NOSPACE\n {2}meaning: .*refuses all writes.*\n {2}next step: NOSPACE: /m,
  );
  assert.match(text, /^dhcp is unknown: gateway: no response\n {2}asked: /m);
  assert.match(text, /^etcd-disk is unhealthy \(not promised: no effect on the exit code\): master-1: slow$/m);
});

test("on a screen of 24 rows, a watch of a large stack shows what is wrong", () => {
  const machines = Array.from({ length: 11 }, (_, index) => machine(`worker-${index + 1}`, "worker", member));
  const healthyRows = healthCheckNames.map((check) => makeRow(check, [healthy("master-1", "fine")]));
  const checks = [...healthyRows.slice(1), makeRow("power", [unhealthy("worker-2", "is stopped")])];
  const drawn = (problemsFirst: boolean) =>
    drawScreen(renderStatus({ ...lab, machines, checks }, plainText, { problemsFirst }), { columns: 80, rows: 24 });
  assert.match(drawn(true), /power is unhealthy: worker-2: is stopped.* next step: .*more lines/s);
  assert.doesNotMatch(drawn(false), /worker-2: is stopped/);
});

test("with a package lock, machines with other images are named", () => {
  const images = ["infrastructure-aaaaaaaaaaaa", "kubernetes-aaaaaaaaaaaa"];
  const machines = [
    { name: "gateway", image: images[0] },
    { name: "worker-1", image: images[1] },
    { name: "worker-2" },
  ];
  assert.equal(
    renderPackageLock("lab", 339, machines, images),
    "stacks/package-lock.lab.json pins 339 packages; all machines have its images",
  );
  const former = [...machines, { name: "worker-3", image: "kubernetes-bbbbbbbbbbbb" }];
  assert.match(
    renderPackageLock("team", 339, former, images),
    /other images: worker-3 \(kubernetes-b+\); `npx groundplane preview --stack team` shows what follows$/,
  );
});
