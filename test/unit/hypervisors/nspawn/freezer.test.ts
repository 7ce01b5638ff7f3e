import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineSpec } from "../../../../hypervisors/hypervisor";
import { freeze, isFrozen, stillFrozen, thaw } from "../../../../hypervisors/nspawn/freezer";
import { RecordingHost } from "../../../support/recording-host";

const spec = { stack: "lab", name: "worker-1" } as MachineSpec;
const group = "/sys/fs/cgroup/groundplane/lab/worker-1";

/** A machine with one thread in each of these states. */
function hostWith(frozen: "0" | "1", threads: Readonly<Record<string, string>>): RecordingHost {
  const cgroups = JSON.stringify([{ folder: group, version: 2, controllers: [] }]);
  return new RecordingHost({
    files: {
      "/data/stacks/lab/machines/worker-1/cgroups.json": cgroups,
      [`${group}/cgroup.events`]: `populated 1\nfrozen ${frozen}\n`,
      [`${group}/cgroup.freeze`]: "0\n",
      [`${group}/cgroup.procs`]: "7\n",
      ...Object.fromEntries(
        Object.entries(threads).map(([thread, state]) => [`/proc/7/task/${thread}/status`, statusOf(state, 5)]),
      ),
    },
  });
}

const statusOf = (state: string, switches: number): string =>
  `Name:\tpod\nState:\t${state} (state)\nvoluntary_ctxt_switches:\t${switches}\nnonvoluntary_ctxt_switches:\t1\n`;
const options = { stack: "lab", folder: "/data/stacks/lab/snapshots/one.partial" };

test("a machine is frozen with a watchdog, counts as frozen, and is thawed", async () => {
  const host = hostWith("1", { 7: "S" });
  assert.equal((await freeze(host, [spec], options)).size, 0);
  assert.match(host.log[0] ?? "", /^start sh \S+thaw-after\.sh 1 '?'? ?\S*.*cgroup\.freeze$/);
  assert.equal(host.log[1], `set ${group}/cgroup.freeze 1`);
  assert.equal(await isFrozen(host, spec), true);
  await thaw(host, [spec]);
  assert.equal(await isFrozen(host, spec), false);
  assert.equal(host.alive.size, 0, "the watchdog has ended");
});

test("a thread that waits for another machine is accepted as long as it has not run", async () => {
  const host = hostWith("0", { 7: "S", 8: "D" });
  const stuck = await freeze(host, [spec], options);
  assert.equal(stuck.get("worker-1"), "8 5,1");
  await stillFrozen(host, [spec], stuck);
  host.memory.writeInPlace("/proc/7/task/8/status", statusOf("D", 6));
  await assert.rejects(stillFrozen(host, [spec], stuck), /worker-1 waited for a disk and went on/);
});

test("a machine whose processes go on is an error", async () => {
  await assert.rejects(freeze(hostWith("0", { 7: "R" }), [spec], options), /worker-1 cannot be frozen: its processes/);
});
