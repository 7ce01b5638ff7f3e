// Complete data centres with the real engine and the real VBoxManage. Only the guests are simulated.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { killProcess } from "../../host/start-process";
import { entriesBelow } from "../support/folder-contents";
import { openVirtualboxProject, type VirtualboxProject } from "../support/virtualbox-project";
import { obtainVirtualboxRoot } from "../support/virtualbox-root";

const small = "driver: virtualbox\npools: {balancers: {count: 1}, masters: {count: 1}, workers: {count: 1}}\n";
/** All kinds of machines. Each one takes a twentieth of a processor, because the test's VirtualBox interprets its guests. */
const every = `driver: virtualbox
options: {keepDataDisks: false}
pools:
  balancers: {count: 2}
  masters: {count: 1}
  workers: {count: 1}
  storage: {count: 1, disks: [{name: brick, sizeGiB: 4}]}
`;
const up = ["up", "--yes", "--skip-preview"];
const unchanged = ["preview", "--expect-no-changes"];

let project: VirtualboxProject | undefined;
after(() => project?.close());

test("data centres on VirtualBox", { timeout: 30 * 60_000 }, async (t) => {
  const root = await obtainVirtualboxRoot();
  if (typeof root === "string") return t.skip(root);
  project = await openVirtualboxProject(root);
  const { host, data, configure, pulumi, mustPulumi, providers } = project;
  const list = async (what: string) => (await host.manage("list", what)).split("\n").filter(Boolean);
  const uuidOf = async (name: string) =>
    (await list("vms")).find((line) => line.startsWith(`"${name}"`))?.match(/\{(.*)\}/)?.[1] ?? "";
  const nothingIsLeft = async () => {
    for (const what of ["vms", "hdds", "dvds"]) assert.deepEqual(await list(what), [], what);
    const ours = entriesBelow(data).filter((file) => /^(?:stacks|disks|fake|virtualbox)\/[^/]+\/(?!locks)/.test(file));
    assert.deepEqual(ours, []);
  };

  await t.test("small: the next up finishes after the provider is killed during the creation of machines", async () => {
    configure("vb-small", small);
    await mustPulumi("vb-small", "stack", "init");
    const interrupted = pulumi("vb-small", ...up);
    while (!host.calls().some((call) => call.startsWith("createmedium"))) await sleep(20);
    const [provider] = await providers();
    assert.ok(provider);
    await killProcess(provider);
    assert.notEqual((await interrupted).exitCode, 0);
    await mustPulumi("vb-small", ...up);
    assert.equal((await list("runningvms")).length, 4);
    await mustPulumi("vb-small", ...unchanged);
  });

  await t.test("small: a change made in VirtualBox shows in a plain preview, and up reverts it", async () => {
    const names = ["gateway", "balancer-1", "master-1", "worker-1"] as const;
    const uuids = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await uuidOf(`vb-small-${name}`)] as const)),
    ) as Record<(typeof names)[number], string>;
    for (const name of names) await host.manage("controlvm", uuids[name], "poweroff");
    await sleep(1_000);
    await host.manage("modifyvm", uuids["balancer-1"], "--memory", "333");
    await host.manage("modifyvm", uuids["master-1"], "--nic1", "intnet", "--intnet1", "elsewhere");
    const disk = ["--storagectl", "SATA", "--port", "0", "--device", "0", "--medium", "none"];
    await host.manage("storageattach", uuids.gateway, ...disk);
    await host.manage("unregistervm", uuids["worker-1"], "--delete");
    const seen = await mustPulumi("vb-small", "preview", "--diff");
    assert.match(seen, /memoryMiB\s*: 333 => /);
    assert.match(seen, /elsewhere/);
    assert.match(seen, /its system disk is not attached/);
    assert.match(seen, /\+ groundplane:index:Machine: \(create\)\s+\[urn=\S+::worker-1\]/);
    assert.deepEqual(await list("runningvms"), [], "a preview changes nothing");
    await mustPulumi("vb-small", ...up);
    assert.equal((await list("runningvms")).length, 4);
    await mustPulumi("vb-small", ...unchanged);
  });

  await t.test("an existing machine is imported unchanged into another state", async () => {
    const words = ["groundplane:index:Machine", "adopted", "virtualbox/vb-small/balancer-1"];
    configure("vb-import", small);
    await mustPulumi("vb-import", "stack", "init");
    await mustPulumi("vb-import", "import", ...words, "--yes", "--skip-preview", "--generate-code=false");
    const { deployment } = JSON.parse(await mustPulumi("vb-import", "stack", "export"));
    const adopted = deployment.resources.find(({ id }: { id?: string }) => id === words[2]);
    assert.equal(adopted.outputs.uuid, await uuidOf("vb-small-balancer-1"));
    assert.deepEqual([adopted.inputs.power, adopted.inputs.drift], ["running", []]);
    await mustPulumi("vb-import", "stack", "rm", "--force", "--yes");
    assert.equal((await list("runningvms")).length, 4);
  });

  await t.test(
    "every kind of machine: up works beside small, a second up changes nothing, and destroy succeeds",
    async () => {
      configure("vb-every", every);
      await mustPulumi("vb-every", "stack", "init");
      await mustPulumi("vb-every", ...up);
      assert.equal((await list("runningvms")).length, 4 + 6);
      await mustPulumi("vb-every", ...unchanged);
      await mustPulumi("vb-every", "destroy", "--yes", "--skip-preview");
      assert.equal((await list("vms")).filter((line) => /vb-every/.test(line)).length, 0);
      assert.equal((await list("runningvms")).length, 4, "the other stack is left alone");
    },
  );

  await t.test("destroy leaves an empty registry", async () => {
    await mustPulumi("vb-small", "destroy", "--yes", "--skip-preview");
    await nothingIsLeft();
  });
});
