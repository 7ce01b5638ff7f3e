import { createHash, randomUUID } from "node:crypto";
import type { Host } from "../../model/host";
import {
  ForeignObjectError,
  type Hypervisor,
  ImageMissingError,
  type MachineName,
  type MachineSpec,
  type MachineState,
  type Owner,
  type SeedFiles,
} from "../hypervisor";
import { finishRestore } from "../snapshots/restore-snapshot";
import { stackSnapshots } from "../snapshots/stack-snapshots";
import { recordedObjects } from "../stack-objects";
import { settledRecord, stateOf, systemDisks } from "./fake-disks";
import { snapshotMethod } from "./fake-snapshots";
import * as store from "./fake-store";

/**
 * A hypervisor that keeps records instead of running machines, for tests and for trying out a stack without root.
 * `GROUNDPLANE_FAKE_DELAY_MS` is the time that creating a machine takes. Every image exists unless its name begins with
 * `absent-`.
 */
export const createFakeDriver = (host: Host): Hypervisor => ({
  name: "fake",
  problems: async () => [],
  ...segmentsAndDisks(host),
  ...images,
  ...machines(host),
  ...capabilities(host),
});

const segmentsAndDisks = (host: Host) =>
  ({
    async ensureSegment(spec, owner) {
      const found = await store.readSegment(host, spec);
      mustOwn(`segment ${spec.name}`, found?.owner, owner);
      if (!found) await store.writeSegment(host, spec, owner);
    },

    inspectSegment: (spec) => store.readSegment(host, spec),

    async removeSegment(spec, owner) {
      mustOwn(`segment ${spec.name}`, (await store.readSegment(host, spec))?.owner, owner);
      await store.dropSegment(host, spec);
      if (await store.hasSegments(host, spec.stack)) return;
      await store.dropStack(host, spec.stack);
      await host.files.remove(host.folders.stack(spec.stack));
    },

    async ensureDisk(spec, owner) {
      mustOwn(`disk ${spec.name}`, (await store.readDisk(host, spec))?.owner, owner);
      await store.writeDisk(host, { ...spec, owner });
    },

    inspectDisk: (disk) => store.readDisk(host, disk),

    async removeDisk(disk, owner) {
      mustOwn(`disk ${disk.name}`, (await store.readDisk(host, disk))?.owner, owner);
      await store.dropDisk(host, disk);
    },
  }) satisfies Partial<Hypervisor>;

const images = {
  async inspectImage({ name }) {
    return name.startsWith("absent-") ? undefined : { digest: digestOf(name) };
  },

  async ensureImage({ name }) {
    if (name.startsWith("absent-")) throw new ImageMissingError(name);
    return { digest: digestOf(name) };
  },

  async releaseImage() {
    // There is nothing to release.
  },
} satisfies Partial<Hypervisor>;

const machines = (host: Host) =>
  ({
    ensureMachine: (spec, seed, owner) => ensureMachine(host, spec, seed, owner),
    inspectMachine: (machine) => inspectMachine(host, machine),

    async startMachine(machine) {
      const settled = await settledRecord(host, machine);
      if (settled?.made) await finishRestore(host, snapshotMethod(host), settled.made);
      const record = await knownMachine(host, machine);
      if (record.power === "running") return;
      await store.writeMachine(host, machine, { ...record, power: "running", pulledLinks: [] });
      await store.appendConsole(host, machine, "machine started", { fresh: true });
    },

    stopMachine: (machine) => powerOff(host, machine, "machine shut down"),

    async removeMachine(machine, owner) {
      mustOwn(`machine ${machine.name}`, (await store.readMachine(host, machine))?.owner, owner);
      await store.dropMachine(host, machine);
    },

    async listMachines(stack) {
      return (await store.machineNames(host, stack)).map((name) => ({ stack, name }));
    },

    listObjects: (stack) =>
      recordedObjects({
        machine: {
          names: store.machineNames(host, stack),
          read: (name) => store.readMachine(host, { stack, name }),
        },
        segment: {
          names: store.recordNames(host, stack, "segments"),
          read: (name) => store.readSegment(host, { stack, name }),
        },
        disk: { names: store.recordNames(host, stack, "disks"), read: (name) => store.readDisk(host, { stack, name }) },
      }),
  }) satisfies Partial<Hypervisor>;

const capabilities = (host: Host) =>
  ({
    links: {
      async setLink(machine, up, segment) {
        const record = await knownMachine(host, machine);
        const segments = record.made?.spec.nics.map((nic) => nic.segment) ?? [];
        const affected = segments.filter((name) => !segment || name === segment);
        const others = record.pulledLinks.filter((name) => !affected.includes(name));
        await store.writeMachine(host, machine, { ...record, pulledLinks: up ? others : [...others, ...affected] });
      },
    },
    hardKill: { hardKill: (machine) => powerOff(host, machine, "power cut") },
    consoleLog: { consoleLogPath: (machine) => store.consoleFile(host, machine) },
    systemDisks: systemDisks(host),
    snapshots: stackSnapshots(host, snapshotMethod(host)),
  }) satisfies Partial<Hypervisor>;

const digestOf = (image: string): string => `sha256:${createHash("sha256").update(image).digest("hex")}`;

async function ensureMachine(host: Host, spec: MachineSpec, seed: SeedFiles, owner: Owner): Promise<MachineState> {
  const found = await settledRecord(host, spec);
  mustOwn(`machine ${spec.name}`, found?.owner, owner);
  if (!found?.made) {
    // Mark the owner first: the remains of an interrupted creation must have one.
    await store.writeMachine(host, spec, { owner, power: "stopped", pulledLinks: [] });
    await host.clock.sleep(Number(host.facts.env.GROUNDPLANE_FAKE_DELAY_MS ?? 0));
  }
  await store.writeSeed(host, spec, seed);
  const generation = found?.made?.generation ?? randomUUID();
  const power = found?.power ?? "stopped";
  const pulledLinks = found?.pulledLinks ?? [];
  const made = { ...found?.made, spec, generation };
  await store.writeMachine(host, spec, { owner, power, pulledLinks, made });
  return stateOf({ owner, power, made });
}

async function inspectMachine(host: Host, machine: MachineName): Promise<MachineState | undefined> {
  const record = await store.readMachine(host, machine);
  if (!record?.made) return undefined;
  return stateOf({ ...record, made: record.made });
}

async function powerOff(host: Host, machine: MachineName, message: string): Promise<void> {
  const record = await store.readMachine(host, machine);
  if (record?.power !== "running") return;
  await store.writeMachine(host, machine, { ...record, power: "stopped" });
  await store.appendConsole(host, machine, message);
}

async function knownMachine(host: Host, machine: MachineName): Promise<store.MachineRecord> {
  const record = await store.readMachine(host, machine);
  if (!record) throw new Error(`there is no machine ${machine.name} in ${machine.stack}`);
  return record;
}

function mustOwn(what: string, present: Owner | undefined, wanted: Owner): void {
  if (!present || (present.stack === wanted.stack && present.urn === wanted.urn)) return;
  throw new ForeignObjectError(what, present);
}
