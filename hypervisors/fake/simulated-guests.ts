import type { Host } from "../../model/host";
import type { Hypervisor, MachineName, SystemDisks } from "../hypervisor";
import { systemDisks } from "./fake-disks";
import * as store from "./fake-store";

/** The simulated guest starts again with its machine's new system disk, and returns with the former one. */
function withGuestsOf(disks: SystemDisks, host: Host): SystemDisks {
  const guests = systemDisks(host);
  return {
    async exchangeSystemDisk(machine, image, seed, owner) {
      const state = await disks.exchangeSystemDisk(machine, image, seed, owner);
      await guests.exchangeSystemDisk(machine, image, seed, owner);
      return state;
    },
    async restoreSystemDisk(machine, owner) {
      await guests.restoreSystemDisk(machine, owner);
      return disks.restoreSystemDisk(machine, owner);
    },
    async dropFormerSystemDisk(machine, owner) {
      await guests.dropFormerSystemDisk(machine, owner);
      await disks.dropFormerSystemDisk(machine, owner);
    },
  };
}

/**
 * A driver with real machines and with guests that are simulated like the fake driver's, for tests on hypervisors that can
 * run only a boot sector. The state of the guests is kept in separate records.
 */
export function withSimulatedGuests(driver: Hypervisor, host: Host): Hypervisor {
  const turn = async (machine: MachineName, power: "running" | "stopped"): Promise<void> => {
    const record = await store.readMachine(host, machine);
    if (record) await store.writeMachine(host, machine, { ...record, power });
  };
  return {
    ...driver,
    async ensureMachine(spec, seed, owner, announce) {
      const state = await driver.ensureMachine(spec, seed, owner, announce);
      const known = await store.readMachine(host, spec);
      // A new machine of the same name: its guest has no state.
      if (known?.made && known.made.generation !== state.generation) await store.dropMachine(host, spec);
      const former = known?.made?.generation === state.generation ? known.made.former : undefined;
      const made = { spec: state.spec, generation: state.generation, ...(former && { former }) };
      await store.writeSeed(host, spec, seed);
      await store.writeMachine(host, spec, { owner, power: state.power, pulledLinks: [], made });
      return state;
    },
    async startMachine(machine) {
      await driver.startMachine(machine);
      await turn(machine, "running");
    },
    async stopMachine(machine, deadlineMs) {
      await driver.stopMachine(machine, deadlineMs);
      await turn(machine, "stopped");
    },
    ...(driver.systemDisks && { systemDisks: withGuestsOf(driver.systemDisks, host) }),
    async removeMachine(machine, owner) {
      await driver.removeMachine(machine, owner);
      await store.dropMachine(host, machine);
    },
    async removeSegment(spec, owner) {
      await driver.removeSegment(spec, owner);
      if ((await store.machineNames(host, spec.stack)).length === 0) await store.dropStack(host, spec.stack);
    },
  };
}
