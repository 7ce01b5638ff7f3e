import type { Host } from "../../model/host";
import type { Hypervisor, MachineName } from "../hypervisor";
import * as store from "./fake-store";

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
      const made = { spec: state.spec, generation: state.generation };
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
