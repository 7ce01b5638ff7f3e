import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineSpec } from "../../../../hypervisors/hypervisor";
import { isRunning, stopOrderly } from "../../../../hypervisors/nspawn/machine-power";
import { RecordingHost } from "../../../support/recording-host";

const spec = { stack: "lab", name: "worker-1", nics: [] } as unknown as MachineSpec;
const group = "/sys/fs/cgroup/groundplane/lab/worker-1";

test("a guest that shuts down is awaited by its first process alone, because its pods have hundreds of groups", async () => {
  const host = new RecordingHost({
    files: {
      "/data/stacks/lab/machines/worker-1/cgroups.json": JSON.stringify([
        { folder: group, version: 2, controllers: [] },
      ]),
      [`${group}/cgroup.procs`]: "7\n",
      "/proc/7/status": "Name:\tsystemd\nNSpid:\t7\t1\n",
    },
  });
  host.alive.set(7, { pid: 7, startTime: "70", argv: ["systemd"] });
  let searches = 0;
  const { listFolders } = host.kernel;
  host.kernel.listFolders = async (folder) => {
    if (folder === group) searches += 1;
    return listFolders(folder);
  };
  const { sleep } = host.clock;
  host.clock.sleep = async (milliseconds) => {
    await sleep(milliseconds);
    if (host.clock.now() < 5_000) return;
    host.alive.delete(7);
    host.memory.writeInPlace(`${group}/cgroup.procs`, "");
  };
  await stopOrderly(host, spec, 60_000);
  assert.ok(host.clock.now() < 5_100);
  assert.equal(host.log.filter((line) => line === "signal 38 to systemd").length, 3, "every two seconds");
  assert.ok(searches < 10, `${searches} searches`);
});

test("whether a machine runs is known from its first living process, and a dead one does not count", async () => {
  const groups = Array.from({ length: 100 }, (_, index) => `${group}/guest/pod-${index}`);
  const host = new RecordingHost({
    files: {
      "/data/stacks/lab/machines/worker-1/cgroups.json": JSON.stringify([
        { folder: group, version: 2, controllers: [] },
      ]),
      ...Object.fromEntries(groups.map((folder, index) => [`${folder}/cgroup.procs`, `${100 + index}\n`])),
    },
  });
  let reads = 0;
  const { read } = host.kernel;
  host.kernel.read = async (file) => {
    reads += 1;
    return read(file);
  };
  assert.equal(await isRunning(host, spec), false);
  for (let pid = 100; pid < 200; pid++) host.alive.set(pid, { pid, startTime: "70", argv: ["pause"] });
  reads = 0;
  assert.equal(await isRunning(host, spec), true);
  assert.ok(reads < 10, `${reads} reads`);
});
