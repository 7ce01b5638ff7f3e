import assert from "node:assert/strict";
import { test } from "node:test";
import { type Change, machineChanges, restartsOn } from "../../../model/change-classes";
import { type DriverName, driverNames, drivers } from "../../../model/drivers";
import type { MachineInputs } from "../../../model/resource-types";
import { compareMachines } from "../../../review/compare-machines";
import { compareRenderings } from "../../../review/compare-renderings";
import { type RenderedNode, renderStack, type StackRendering } from "../../../review/render-stack";
import { exampleText } from "../../support/example-stacks";

function rendering(change: (text: string) => string = (text) => text): StackRendering {
  const result = renderStack(change(exampleText("lab")), "lab", "the file");
  assert.ok("rendering" in result, JSON.stringify(result));
  return result.rendering;
}

const imageOf = ({ images }: RenderedNode): string => images.disk ?? "";
const countOf = (): number => 2;
const gateway = rendering().nodes.find(({ name }) => name === "gateway") as RenderedNode;
const node: RenderedNode = {
  ...gateway,
  dataDisks: [{ name: "gateway-a", uuid: "u", sizeGiB: 1, mountPoint: "/data/a" }],
};

/** One changed value for every input; `undefined`: a rendering has one value by definition. */
const changed: Readonly<Record<keyof MachineInputs, Partial<RenderedNode> | undefined>> = {
  driver: undefined,
  stack: undefined,
  name: undefined,
  roles: { roles: ["gateway", "balancer"] },
  uuid: { uuid: "other" },
  image: { images: { disk: "other" } },
  cpus: { cpus: 9 },
  memoryMiB: { memoryMiB: 9999 },
  diskGiB: { diskGiB: 99 },
  volumes: { volumes: [{ mountPoint: "/var", sizeMiB: 9, named: true }] },
  nics: { interfaces: node.interfaces.map((nic) => ({ ...nic, mac: `${nic.mac.slice(0, -2)}ff` })) },
  uplink: { uplink: { mac: String(node.uplink?.mac), forwards: [{ hostPort: 1, guestPort: 2 }] } },
  disks: { dataDisks: [] },
  shutdownSeconds: { shutdownSeconds: 99 },
  seed: { firstBoot: "other" },
  secrets: undefined,
};

function effectOf(input: string, change: Change, driver: DriverName): string {
  if (input === "image" && drivers[driver].exchangesDisks) return "roll";
  if (change.readAtCreation) return "later";
  if (change.class === "replace") return "replace";
  return restartsOn(change, driver) ? "restart" : "update";
}

test("every input of a machine is compared, and its class decides what happens", () => {
  for (const driver of driverNames) {
    assert.equal(compareMachines(node, node, { driver, imageOf, countOf }).effect, "none");
    for (const [input, values] of Object.entries(changed)) {
      if (values === undefined) continue;
      const change = machineChanges[input as keyof MachineInputs];
      const { effect, reasons } = compareMachines(node, { ...node, ...values }, { driver, imageOf, countOf });
      // Machines that share the host's file system have no volumes.
      const isInert = input === "volumes" && drivers[driver].imageForm !== "disk";
      assert.equal(effect, isInert ? "none" : effectOf(input, change, driver), `${input} on ${driver}`);
      if (effect !== "none") assert.equal(reasons.length, 1, `${input} on ${driver}: ${reasons}`);
    }
  }
});

test("another image reaches a node of a driver that exchanges disks, and other nodes when they are recreated", () => {
  const worker = rendering().nodes.find(({ name }) => name === "worker-1") as RenderedNode;
  const [only, other] = [() => 1, { ...worker, roles: ["master", "etcd"] as const, images: { disk: "other" } }];
  const ofMaster = (driver: DriverName) =>
    compareMachines({ ...other, ...worker, roles: other.roles }, other, { driver, imageOf, countOf: only }).effect;
  assert.equal(ofMaster("qemu"), "later", "the only master keeps its own");
  assert.equal(ofMaster("nspawn"), "roll", "it takes the data of etcd along");
  for (const driver of driverNames) {
    const { effect, reasons } = compareMachines(
      worker,
      { ...worker, images: { disk: "other" } },
      { driver, imageOf, countOf },
    );
    assert.equal(effect, drivers[driver].exchangesDisks ? "roll" : "later", driver);
    assert.deepEqual(reasons, [`image: ${imageOf(worker)} -> other`]);
  }
});

test("a data disk that grows restarts the machines of the driver that cannot grow it", () => {
  const larger = { ...node, dataDisks: node.dataDisks.map((disk) => ({ ...disk, sizeGiB: 2 })) };
  const effects = driverNames.map((driver) => [
    driver,
    compareMachines(node, larger, { driver, imageOf, countOf }).effect,
  ]);
  const { virtualbox, ...others } = Object.fromEntries(effects);
  assert.equal(virtualbox, "restart");
  assert.deepEqual(new Set(Object.values(others)), new Set(["update"]));
});

test("the review of a stack shows the differences of its machines", () => {
  const from = (change: (text: string) => string, before = rendering()) =>
    Object.fromEntries(
      compareRenderings(before, rendering(change)).changes.map(({ node, action, reasons }) => [
        node,
        { action, reasons },
      ]),
    );
  const of = (driver: string) => (text: string) => text.replace("driver: auto", `driver: ${driver}`);
  const ubuntu = from((text) => `${of("qemu")(text)}    distribution: ubuntu\n`, rendering(of("qemu")));
  assert.match(String(ubuntu.gateway?.reasons), /^image: infrastructure-disk-\w+ -> infrastructure-disk-\w+$/);
  const ports = from((text) => `${text}    hostPorts: {api: 20001, ssh: 20002}\n`);
  assert.equal(ports.gateway?.action, "update");
  assert.match(String(ports.gateway?.reasons), /^host ports: .* -> 20002 to 22, 20001 to 6443$/);
  const disk = from((text) =>
    text.replace("workers: {count: 2}", "workers: {count: 2, disks: [{name: a, sizeGiB: 1}]}"),
  );
  assert.deepEqual(disk["worker-1"], {
    action: "restart",
    reasons: ["data disks: none -> worker-1-a at /data/a"],
  });
});
