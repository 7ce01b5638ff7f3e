import type { Host } from "../../model/host";
import { ForeignObjectError, isOwner, type MachineName, type Owner } from "../hypervisor";
import * as commands from "./commands";
import { machineFiles } from "./folders";
import { MARK } from "./machine-record";
import { vmName } from "./names";
import type { VmInfo } from "./parse-output";
import { isSameFile } from "./storage";
import type { Session } from "./vboxmanage";

/** A registered machine that groundplane owns. */
export interface FoundVm {
  readonly uuid: string;
  readonly info: VmInfo;
}

/** Whether the machine's settings are in our data folder. Another data folder may have a stack of the same name. */
export const isOurs = (host: Host, machine: MachineName, info: VmInfo): boolean =>
  isSameFile(info.values.get("CfgFile") ?? "", machineFiles(host, machine).settings);

/**
 * The machine in VirtualBox's registry. A machine whose settings file is missing or damaged is unregistered and counts
 * as missing.
 *
 * @param uuid `undefined` when our record of it is lost
 * @throws ForeignObjectError when a machine of this name or UUID has another owner
 */
export async function findVm(
  host: Host,
  session: Session,
  machine: MachineName,
  uuid: string | undefined,
): Promise<FoundVm | undefined> {
  const vms = await session.vms();
  const found = vms.find((vm) => vm.uuid === uuid) ?? vms.find(({ name }) => name === vmName(machine));
  if (!found) return undefined;
  if (found.name === INACCESSIBLE) {
    // VirtualBox reports that it cannot read the settings, but unregisters the machine anyway.
    await session.call(commands.forgetVm(found.uuid));
    return undefined;
  }
  const info = await session.vm(found.uuid);
  if (!info) return undefined;
  if (!isOurs(host, machine, info) || (uuid !== undefined && found.uuid !== uuid)) {
    throw new ForeignObjectError(`the VirtualBox machine ${found.name} {${found.uuid}}`, undefined);
  }
  return { uuid: found.uuid, info };
}

const INACCESSIBLE = "<inaccessible>";

/** The owner and generation in the machine's mark; `undefined` if there is no mark. */
export async function readMark(
  session: Session,
  uuid: string,
): Promise<{ readonly owner: Owner; readonly generation: string } | undefined> {
  const text = (await session.call(commands.readMark(uuid, MARK))).trim();
  const value = /^Value: (.*)$/s.exec(text)?.[1];
  if (value === undefined) return undefined;
  const { stack, urn, generation } = JSON.parse(value) as Owner & { readonly generation: string };
  return { owner: { stack, urn }, generation };
}

/** @throws ForeignObjectError if the mark is missing or names another owner */
export async function mustBeMarked(session: Session, machine: MachineName, uuid: string, owner: Owner) {
  const mark = await readMark(session, uuid);
  if (!mark || !isOwner(mark.owner, owner)) throw new ForeignObjectError(`machine ${machine.name}`, mark?.owner);
  return mark;
}
