import type { Host } from "../../model/host";
import { shutdownMs } from "../../model/hypervisor-objects";
import type { DiskSpec, MachineSpec } from "../hypervisor";
import * as commands from "./commands";
import { machinesFolder } from "./folders";
import { start, stopOrderly } from "./machine-power";
import { readComplete } from "./machine-record";
import { withMachineLock } from "./machines";
import { occupiedSlots, wantedDataDisks } from "./storage";
import type { Session, VirtualBox } from "./vboxmanage";
import { isBusy } from "./vm-state";

/**
 * Runs `action` while no machine has the data disk open. A machine that uses the disk is shut down and started again
 * afterwards if it ran before. VirtualBox cannot change a disk of a running machine.
 *
 * @param renewed the disk's file is recreated: the machine detaches the old one and attaches the new one
 */
export async function whileDiskIsFree(
  box: VirtualBox,
  disk: Pick<DiskSpec, "stack" | "name">,
  renewed: boolean,
  action: (session: Session) => Promise<void>,
): Promise<void> {
  const user = await userOf(box.host, disk);
  if (!user) return box.session(action);
  await withMachineLock(box.host, user, async () => {
    const info = await box.session((session) => session.vm(user.uuid));
    const ran = info !== undefined && isBusy(info);
    if (ran) await stopOrderly(box, user, shutdownMs(user));
    await box.session(async (session) => {
      const slot = wantedDataDisks(box.host, user).find((wanted) => wanted.disk === disk.name);
      const now = await session.vm(user.uuid);
      const attached = slot && now && occupiedSlots(now).some(({ port }) => port === slot.port);
      if (renewed && attached) await session.call(commands.detach(user.uuid, slot.port));
      await action(session);
      if (renewed && attached) await session.call(commands.attachDisk(user.uuid, slot.port, slot.file));
    });
    if (ran) await start(box, user);
  });
}

async function userOf(host: Host, { stack, name }: Pick<DiskSpec, "stack" | "name">): Promise<MachineSpec | undefined> {
  for (const machine of await host.files.list(machinesFolder(host, stack))) {
    const record = await readComplete(host, { stack, name: machine });
    if (record?.spec.disks.some(({ disk }) => disk === name)) return record.spec;
  }
  return undefined;
}
