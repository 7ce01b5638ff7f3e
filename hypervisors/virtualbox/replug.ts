import type { Host } from "../../model/host";
import type { SegmentSpec } from "../hypervisor";
import { type Plug, plugOptions, plugText, shownPlug, wantedAdapters } from "./adapters";
import * as commands from "./commands";
import { machinesFolder } from "./folders";
import { readComplete } from "./machine-record";
import type { Session } from "./vboxmanage";
import { isBusy } from "./vm-state";

/** Moves the cables of a segment's machines to what it is attached to now, also while they run. */
export async function replug(
  host: Host,
  session: Session,
  { stack, name: segment }: SegmentSpec,
  plug: Plug,
): Promise<void> {
  if (plug.kind === "nat") return;
  for (const name of await host.files.list(machinesFolder(host, stack))) {
    const record = await readComplete(host, { stack, name });
    const adapter =
      record && wantedAdapters(record.spec, new Map([[segment, plug]])).find((a) => a.segment === segment);
    const info = adapter && (await session.vm(record.spec.uuid));
    if (!adapter || !info || shownPlug(info, adapter.slot) === plugText(plug)) continue;
    const { uuid } = record.spec;
    if (isBusy(info)) await session.call(commands.replugLive(uuid, adapter.slot, plug.kind, plug.network));
    else await session.call(commands.modifyVm(uuid, plugOptions(adapter)));
  }
}
