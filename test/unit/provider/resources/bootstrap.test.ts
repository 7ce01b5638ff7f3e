import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { formerGuestCommands } from "../../../../model/former-names";
import type { BootstrapInputs } from "../../../../model/resource-types";
import { bootstrapResource } from "../../../../provider/resources/bootstrap";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { ownDataFolder } from "../../../support/own-data-folder";

ownDataFolder();

const context = { signal: new AbortController().signal, log: () => {}, timeoutSeconds: 30 } as unknown as Context;
const inputs = {
  stack: "lab",
  members: [{ name: "master-1", address: "192.168.57.11", connection: {} }],
  rebootstrap: false,
} as unknown as BootstrapInputs;
const waiting = JSON.stringify({ order: "none", phase: "waiting", etcdData: false, step: "", error: "" });

/** A master that has these commands and records the commands that it runs. */
function masterWith(commands: readonly string[]) {
  const ran: string[] = [];
  const guest = {
    run: async ([program = "", ...words]: readonly string[]) => {
      const name = path.basename(program);
      if (!commands.includes(name)) return { code: 127, stdout: "", stderr: `${program}: not found` };
      ran.push([program, ...words].join(" "));
      return { code: 0, stdout: { "cluster-status": waiting, "cluster-id": "uid-1" }[name] ?? "", stderr: "" };
    },
  } as unknown as Guest;
  return { guest, ran };
}

const common = ["cluster-status", "cluster-wait", "cluster-id"];

for (const command of ["bootstrap-cluster", formerGuestCommands["bootstrap-cluster"] as string])
  test(`${command} bootstraps a master that has it`, async () => {
    const { guest, ran } = masterWith([...common, command]);
    const { outputs } = await bootstrapResource(async () => guest).create(inputs, false, context);
    assert.deepEqual(outputs.bootstrappedWith, ["master-1"]);
    const order = `/usr/local/lib/groundplane/${command} first master-1=https://192.168.57.11:2380`;
    assert.ok(ran.includes(order), ran.join("\n"));
  });

test("a master without a bootstrap command is an error that names a command", async () => {
  const { guest } = masterWith(common);
  await assert.rejects(
    bootstrapResource(async () => guest).create(inputs, false, context),
    /start the cluster on master-1: .*not found/,
  );
});

test("machines of etcd start before the masters, whose first one knows them", async () => {
  const { guest, ran } = masterWith([...common, "bootstrap-cluster"]);
  const etcd = ["etcd-1", "etcd-2", "etcd-3"].map((name, index) => ({
    ...{ name, address: `192.168.61.1${index + 1}`, connection: {} },
  }));
  const external = { ...inputs, etcd } as unknown as BootstrapInputs;
  const { outputs } = await bootstrapResource(async () => guest).create(external, false, context);
  assert.deepEqual(outputs.bootstrappedWith, ["master-1"]);
  const members = etcd.map(({ name, address }) => `${name}=https://${address}:2380`).join(",");
  const orders = ran.filter((command) => command.includes("bootstrap-cluster"));
  assert.deepEqual(
    orders.map((command) => command.replace(/.*bootstrap-cluster /, "")),
    [`first ${members}`, `other ${members}`, `other ${members}`, `first ${members}`],
  );
  const lastWait = ran
    .slice(0, ran.lastIndexOf(orders.at(-1) ?? ""))
    .filter((command) => command.includes("cluster-wait"));
  assert.equal(lastWait.length, 3, "the masters wait for etcd");
});

test("a witness starts together with the masters, with the same members of etcd", async () => {
  const { guest, ran } = masterWith([...common, "bootstrap-cluster"]);
  const witness = [{ name: "gateway", address: "192.168.56.1", connection: {} }];
  const inputsOfPair = { ...inputs, witness } as unknown as BootstrapInputs;
  const { outputs } = await bootstrapResource(async () => guest).create(inputsOfPair, false, context);
  assert.deepEqual(outputs.bootstrappedWith, ["master-1"], "the witness has no API");
  const members = "master-1=https://192.168.57.11:2380,gateway=https://192.168.56.1:2380";
  assert.deepEqual(
    ran.flatMap((command) => command.split("/bootstrap-cluster ").slice(1)),
    [`first ${members}`, `other ${members}`],
  );
});

test("without its data, etcd on machines of its own is never bootstrapped again", async () => {
  const { guest } = masterWith([...common, "bootstrap-cluster"]);
  const etcd = [{ name: "etcd-1", address: "192.168.61.11", connection: {} }];
  const external = { ...inputs, etcd, rebootstrap: true } as unknown as BootstrapInputs;
  const outputs = { ...external, bootstrappedWith: ["master-1"], clusterId: "uid-1" };
  await assert.rejects(
    bootstrapResource(async () => guest).update(
      "lab/bootstrap",
      external,
      { inputs: external, outputs },
      false,
      context,
    ),
    /no etcd machine of lab has the cluster's data/,
  );
});

test("a cluster whose masters have all joined it since is adopted", async () => {
  const joined = JSON.stringify({ order: "join", phase: "member", etcdData: true, step: "", error: "" });
  const guest = {
    run: async ([program = ""]: readonly string[]) => {
      const stdout = { "cluster-status": joined, "cluster-id": "uid-1" }[path.basename(program)];
      return stdout === undefined ? assert.fail(program) : { code: 0, stdout, stderr: "" };
    },
  } as unknown as Guest;
  const { outputs } = await bootstrapResource(async () => guest).create(inputs, false, context);
  assert.deepEqual([outputs.bootstrappedWith, outputs.clusterId], [[], "uid-1"]);
});
