// The process that calls VirtualBox is killed during and after each of its steps. The next process finishes the work.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { bundleIntoProject } from "../support/bundle-script";
import { everyMoment } from "../support/every-moment";
import { onVirtualbox } from "../support/on-virtualbox";
import { BOOT_IMAGE, virtualboxStack } from "../support/virtualbox-stack";

const moments = {
  // A SIGKILL of VBoxManage does not end the work that VBoxSVC does for it.
  during: '(exec $vboxmanage "$@") & sleep 0.02; kill -KILL $! $PPID',
  after: '$vboxmanage "$@"; kill -KILL $PPID',
};
type Moment = keyof typeof moments;
type Work = "image" | "make" | "remove";

/** By default, each step has one of the two moments. */
const plans: Readonly<Record<string, (step: number) => Moment>> = everyMoment
  ? { during: () => "during", after: () => "after" }
  : { "during or after": (step) => (step % 2 === 1 ? "during" : "after") };

onVirtualbox("killed at every step", (host) => {
  const stack = virtualboxStack(host, "killed");
  const machine = stack.spec(1);
  const folder = path.dirname(host.data);
  const counter = path.join(folder, "counter");
  const script = bundleIntoProject("drive-machine");

  /** Runs the work in a process that is killed at its n-th change of VirtualBox. Returns false if it has fewer changes. */
  async function killedAt(step: number, moment: Moment, work: Work): Promise<boolean> {
    fs.writeFileSync(counter, "0");
    const vboxManage = host.disturbed(`
case $1 in list | show* | get* | --version) exec $vboxmanage "$@" ;; esac
count=$(($(cat ${counter}) + 1)); echo $count >${counter}
[ $count = ${step} ] || exec $vboxmanage "$@"
${moments[moment]}`);
    const child = spawn(process.execPath, [script, work, stack.name, "1"], {
      env: { ...process.env, GROUNDPLANE_VBOXMANAGE: vboxManage },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.once("exit", (...end) => resolve(end)),
    );
    if (signal === "SIGKILL") return true;
    assert.equal(code, 0, `step ${step} ${moment}`);
    return false;
  }

  const media = async () => (await host.manage("list", "hdds")).match(/^UUID:/gm)?.length ?? 0;

  async function cleared(what: string, traces = [stack.name]): Promise<void> {
    await stack.remove(1);
    assert.deepEqual(await host.traces(traces), [], what);
  }

  for (const [moment, momentOf] of Object.entries(plans)) {
    test(`the preparation of an image is finished after a kill ${moment} each step`, {
      timeout: 20 * 60_000,
    }, async () => {
      await stack.driver.releaseImage({ name: BOOT_IMAGE });
      for (let step = 1, isKilled = true; isKilled; step++) {
        isKilled = await killedAt(step, momentOf(step), "image");
        assert.ok(isKilled || step > 5, `only ${step - 1} steps`);
        await stack.driver.ensureImage({ name: BOOT_IMAGE });
        assert.ok(await stack.driver.inspectImage({ name: BOOT_IMAGE }), `step ${step}`);
        assert.equal(await media(), 1, `step ${step}`);
        await stack.driver.releaseImage({ name: BOOT_IMAGE });
        await cleared(`step ${step}`, ["groundplane", "virtualbox/"]);
      }
    });

    test(`the creation and start of a machine are finished after a kill ${moment} each step`, {
      timeout: 20 * 60_000,
    }, async () => {
      await stack.driver.ensureImage({ name: BOOT_IMAGE });
      for (let step = 1, isKilled = true; isKilled; step++) {
        isKilled = await killedAt(step, momentOf(step), "make");
        assert.ok(isKilled || step > 7, `only ${step - 1} steps`);
        const { spec, drift } = await stack.make(machine);
        assert.deepEqual([spec, drift], [machine, undefined], `step ${step}`);
        await stack.driver.startMachine(machine);
        assert.equal((await stack.inspect(machine)).power, "running", `step ${step}`);
        assert.equal(await media(), 2, `step ${step}: the image and one linked disk`);
        await cleared(`step ${step}`);
      }
    });

    test(`the removal of a running machine is finished after a kill ${moment} each step`, {
      timeout: 20 * 60_000,
    }, async () => {
      for (let step = 1, isKilled = true; isKilled; step++) {
        await stack.make(machine);
        await stack.driver.startMachine(machine);
        isKilled = await killedAt(step, momentOf(step), "remove");
        assert.ok(isKilled || step > 2, `only ${step - 1} steps`);
        await cleared(`step ${step}`);
      }
    });
  }
});
