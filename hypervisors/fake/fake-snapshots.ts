import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineName } from "../hypervisor";
import type { SnapshotMethod } from "../snapshots/snapshot-method";
import { asDriverRecord, parts } from "./fake-disks";
import * as store from "./fake-store";

/** Copies of what the guests remember, and of the cluster that they simulate together. */
export function snapshotMethod(host: Host): SnapshotMethod {
  const filesOf = (machine: MachineName): readonly string[] => [
    ...parts.map((part) => path.join(store.machineFolder(host, machine), part)),
    path.join(store.fakeStackFolder(host, machine.stack), "cluster.json"),
  ];
  const setPower = async (machine: MachineName, power: "running" | "stopped"): Promise<void> => {
    const record = await store.readMachine(host, machine);
    if (record) await store.writeMachine(host, machine, { ...record, power });
  };
  return {
    driver: "fake",
    listMachines: async (stack) => (await store.machineNames(host, stack)).map((name) => ({ stack, name })),
    async readRecord(machine) {
      const record = await store.readMachine(host, machine);
      return record?.made && asDriverRecord({ ...record, made: record.made });
    },
    withMachineLock: (_machine, action) => action(),
    isRunning: async (machine) => (await store.readMachine(host, machine))?.power === "running",
    async bytesOf(spec) {
      let bytes = 0;
      for (const file of filesOf(spec)) bytes += await host.trees.bytesOnDisk(file);
      return bytes;
    },
    async pause() {
      // Nothing runs.
      await host.clock.sleep(Number(host.facts.env.GROUNDPLANE_FAKE_DELAY_MS ?? 0));
      return undefined;
    },
    async resume() {},
    async save(spec, { folder }) {
      for (const file of filesOf(spec)) await replace(host, file, path.join(folder, path.basename(file)));
    },
    async putBack(spec, { folder }) {
      for (const file of filesOf(spec)) await replace(host, path.join(folder, path.basename(file)), file);
    },
    cutPower: (spec) => setPower(spec, "stopped"),
    start: (spec) => setPower(spec, "running"),
  };
}

/** A file, a folder or nothing. */
async function replace(host: Host, from: string, to: string): Promise<void> {
  const kind = (await host.trees.entry(from))?.kind;
  await host.files.remove(to);
  if (kind === "folder") await host.trees.copyFolder(from, to);
  else if (kind) await host.files.replaceByCopy(from, to);
}
