import type { Host } from "../../model/host";
import { ForeignObjectError, isOwner, type MachineName, type MachineState, type SystemDisks } from "../hypervisor";
import { type DriverRecord, machineMissing } from "../machine-records";
import { dropFormer, presentDisk, type SystemDiskOf, setAside, settled, takeBack } from "../system-disks";
import * as store from "./fake-store";

/** What a gateway has leased. */
export const leasesFile = "leases";

/** The volume that a storage machine knows. */
export const volumeFile = "volume";

/**
 * The system disk of a simulated machine: what its guest remembers of its cluster, backups, leases, and the volume. The files of the plan are on every disk,
 * because the seed contains them; the disks of a machine share them.
 */
export const parts = ["node.json", "etcd-restore", "backups", leasesFile, volumeFile];

export const systemDisks = (host: Host): SystemDisks => ({
  async exchangeSystemDisk(machine, image, seed, owner) {
    const [record, disk] = await ownedDisk(host, machine, owner);
    const standing = record.spec.image === image ? record : await takeBack(host, record, disk);
    if (standing.spec.image !== image) await setAside(host, standing, image, disk);
    await store.bootFromSeed(host, machine, seed);
    return presentState(host, machine);
  },

  async restoreSystemDisk(machine, owner) {
    await takeBack(host, ...(await ownedDisk(host, machine, owner)));
    return presentState(host, machine);
  },

  async dropFormerSystemDisk(machine, owner) {
    await dropFormer(host, ...(await ownedDisk(host, machine, owner)));
  },
});

export function stateOf(record: Pick<store.MachineRecord, "owner" | "power"> & Made): MachineState {
  const { owner, power, made } = record;
  return { ...presentDisk(asDriverRecord(record)), owner, power, generation: made.generation };
}

/** The record without an interrupted exchange; `undefined` when there is no machine. */
export async function settledRecord(host: Host, machine: MachineName): Promise<store.MachineRecord | undefined> {
  const record = await store.readMachine(host, machine);
  if (!record?.made) return record;
  await settled(host, asDriverRecord({ ...record, made: record.made }), diskOf(host, machine));
  return store.readMachine(host, machine);
}

interface Made {
  readonly made: NonNullable<store.MachineRecord["made"]>;
}

export const asDriverRecord = ({ owner, made }: Pick<store.MachineRecord, "owner"> & Made): DriverRecord => ({
  ...made,
  owner,
  complete: true,
});

async function presentState(host: Host, machine: MachineName): Promise<MachineState> {
  const record = await store.readMachine(host, machine);
  if (!record?.made) throw machineMissing(machine);
  return stateOf({ ...record, made: record.made });
}

async function ownedDisk(
  host: Host,
  machine: MachineName,
  owner: MachineState["owner"],
): Promise<[DriverRecord, SystemDiskOf<DriverRecord>]> {
  const record = await settledRecord(host, machine);
  if (!record?.made) throw machineMissing(machine);
  if (!isOwner(record.owner, owner)) throw new ForeignObjectError(`machine ${machine.name}`, record.owner);
  return [asDriverRecord({ ...record, made: record.made }), diskOf(host, machine)];
}

const diskOf = (host: Host, machine: MachineName): SystemDiskOf<DriverRecord> => ({
  folder: store.machineFolder(host, machine),
  parts,
  async writeRecord({ spec, generation, former }) {
    const record = await store.readMachine(host, machine);
    if (!record) throw machineMissing(machine);
    await store.writeMachine(host, machine, { ...record, made: { spec, generation, ...(former && { former }) } });
  },
  async stop() {
    const record = await store.readMachine(host, machine);
    if (record?.power !== "running") return;
    await store.writeMachine(host, machine, { ...record, power: "stopped" });
    await store.appendConsole(host, machine, "machine shut down");
  },
});
