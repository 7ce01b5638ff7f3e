import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { portTaken } from "../host-ports";
import type { MachineSpec, PortForward } from "../hypervisor";
import { hostForward, hostSide } from "./commands";
import { NAT, qmpSocket } from "./names";
import { withQmp } from "./qmp";

/** Removes unwanted forwards of a running machine and adds missing ones. */
export async function changeForwards(
  host: Host,
  machine: MachineSpec,
  present: readonly PortForward[],
  wanted: readonly PortForward[],
): Promise<void> {
  const surplus = present.filter((forward) => !wanted.some((other) => isSameForward(forward, other)));
  const missing = wanted.filter((forward) => !present.some((other) => isSameForward(forward, other)));
  if (surplus.length + missing.length === 0) return;
  await withQmp(host, qmpSocket(host, machine), async (qmp) => {
    // An interrupted change may have removed it already.
    for (const forward of surplus) await qmp.human(`hostfwd_remove ${NAT} ${hostSide(forward)}`);
    for (const forward of missing) {
      await qmp.human(`hostfwd_remove ${NAT} ${hostSide(forward)}`);
      const said = (await qmp.human(`hostfwd_add ${NAT} ${hostForward(forward)}`)).trim();
      if (said === "") continue;
      if (!(await host.ports.isFree(forward.hostPort))) throw await portTaken(host, machine.name, forward.hostPort);
      throw new UserError("forward-not-made", `QEMU says: ${said}`, "read its message; the next `up` tries again");
    }
  });
}

const isSameForward = (a: PortForward, b: PortForward): boolean =>
  a.hostPort === b.hostPort && a.guestPort === b.guestPort;
