import type { MachineName, MachineSpec, Snapshots } from "../hypervisor";
import * as commands from "./commands";
import { endNow, mustExist, start } from "./machine-power";
import type { VirtualBox } from "./vboxmanage";
import { isRunning } from "./vm-state";

/** Writing a machine's memory to disk or merging its disks can take long. */
const SNAPSHOT_MS = 30 * 60_000;

type WithMachine = (machine: MachineName, action: (spec: MachineSpec) => Promise<void>) => Promise<void>;

/** Snapshots of the system disk, and of the memory of a running machine. Data disks are excluded. */
export const createSnapshots = (box: VirtualBox, withMachine: WithMachine): Snapshots => ({
  takeSnapshot: (machine, name) =>
    withMachine(machine, (spec) =>
      box.session(async (session) => {
        const running = isRunning(await mustExist(session, spec));
        await session.call(commands.takeSnapshot(spec.uuid, name, running), { timeoutMs: SNAPSHOT_MS });
      }),
    ),
  restoreSnapshot: (machine, name) =>
    withMachine(machine, async (spec) => {
      const ran = await box.session(async (session) => {
        const running = isRunning(await mustExist(session, spec));
        await endNow(box.host, session, spec);
        await session.call(commands.restoreSnapshot(spec.uuid, name), { timeoutMs: SNAPSHOT_MS });
        return running;
      });
      if (ran) await start(box, spec);
    }),
  deleteSnapshot: (machine, name) =>
    withMachine(machine, (spec) =>
      box.session(async (session) => {
        await mustExist(session, spec);
        await session.call(commands.deleteSnapshot(spec.uuid, name), { timeoutMs: SNAPSHOT_MS });
      }),
    ),
});
