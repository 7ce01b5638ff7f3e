import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { stackFolder } from "../../host/data-folder";
import { removeTree } from "../../host/file-store";
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
import { appendConsole, consoleFile } from "./fake-console";
import * as store from "./fake-store";

/**
 * A hypervisor that keeps books instead of running machines, for tests and for trying out a stack without root.
 * `GROUNDPLANE_FAKE_DELAY_MS` is how long making a machine takes. Every image exists whose name does not begin with
 * `absent-`.
 */
export const fakeHypervisor: Hypervisor = {
  name: "fake",

  async problems() {
    return [];
  },

  async ensureSegment(spec, owner) {
    const found = await store.readSegment(spec);
    mustOwn(`segment ${spec.name}`, found?.owner, owner);
    if (!found) await store.writeSegment(spec, owner);
  },

  inspectSegment: (spec) => store.readSegment(spec),

  async removeSegment(spec, owner) {
    mustOwn(`segment ${spec.name}`, (await store.readSegment(spec))?.owner, owner);
    await store.dropSegment(spec);
    if (await store.hasSegments(spec.stack)) return;
    await store.dropStack(spec.stack);
    await removeTree(stackFolder(spec.stack));
  },

  async inspectImage({ name }) {
    return name.startsWith("absent-") ? undefined : { digest: digestOf(name) };
  },

  async ensureImage({ name }) {
    if (name.startsWith("absent-")) throw new ImageMissingError(name);
    return { digest: digestOf(name) };
  },

  async releaseImage() {
    // Nothing was made of it.
  },

  async ensureDisk(spec, owner) {
    mustOwn(`disk ${spec.name}`, (await store.readDisk(spec))?.owner, owner);
    await store.writeDisk({ ...spec, owner });
  },

  inspectDisk: (disk) => store.readDisk(disk),

  async removeDisk(disk, owner) {
    mustOwn(`disk ${disk.name}`, (await store.readDisk(disk))?.owner, owner);
    await store.dropDisk(disk);
  },

  ensureMachine,
  inspectMachine,

  async startMachine(machine) {
    const record = await knownMachine(machine);
    if (record.power === "running") return;
    await store.writeMachine(machine, { ...record, power: "running", pulledLinks: [] });
    await appendConsole(machine, "machine started", { fresh: true });
  },

  stopMachine: (machine) => powerOff(machine, "machine shut down"),

  async removeMachine(machine, owner) {
    mustOwn(`machine ${machine.name}`, (await store.readMachine(machine))?.owner, owner);
    await store.dropMachine(machine);
  },

  async listMachines(stack) {
    return (await store.machineNames(stack)).map((name) => ({ stack, name }));
  },

  links: {
    async setLink(machine, up, segment) {
      const record = await knownMachine(machine);
      const affected = record.made?.spec.nics.map((nic) => nic.segment).filter((name) => !segment || name === segment);
      const others = record.pulledLinks.filter((name) => !affected?.includes(name));
      await store.writeMachine(machine, { ...record, pulledLinks: up ? others : [...others, ...(affected ?? [])] });
    },
  },
  hardKill: { hardKill: (machine) => powerOff(machine, "power cut") },
  consoleLog: { consoleLogPath: consoleFile },
  cpuWeights: {
    async setCpuWeight(machine, cpuWeight) {
      const record = await knownMachine(machine);
      if (!record.made) return;
      const made = { ...record.made, spec: { ...record.made.spec, cpuWeight } };
      await store.writeMachine(machine, { ...record, made });
    },
  },
};

const digestOf = (image: string): string => `sha256:${createHash("sha256").update(image).digest("hex")}`;

async function ensureMachine(spec: MachineSpec, seed: SeedFiles, owner: Owner): Promise<MachineState> {
  const found = await store.readMachine(spec);
  mustOwn(`machine ${spec.name}`, found?.owner, owner);
  if (!found?.made) {
    // The mark first: whoever dies from here on leaves something that says whose it is.
    await store.writeMachine(spec, { owner, power: "stopped", pulledLinks: [] });
    await sleep(Number(process.env.GROUNDPLANE_FAKE_DELAY_MS ?? 0));
  }
  await store.writeSeed(spec, seed);
  const generation = found?.made?.generation ?? randomUUID();
  const power = found?.power ?? "stopped";
  const pulledLinks = found?.pulledLinks ?? [];
  await store.writeMachine(spec, { owner, power, pulledLinks, made: { spec, generation } });
  return { spec, owner, power, generation };
}

async function inspectMachine(machine: MachineName): Promise<MachineState | undefined> {
  const record = await store.readMachine(machine);
  if (!record?.made) return undefined;
  const { owner, power, made } = record;
  return { ...made, owner, power };
}

async function powerOff(machine: MachineName, message: string): Promise<void> {
  const record = await store.readMachine(machine);
  if (record?.power !== "running") return;
  await store.writeMachine(machine, { ...record, power: "stopped" });
  await appendConsole(machine, message);
}

async function knownMachine(machine: MachineName): Promise<store.MachineRecord> {
  const record = await store.readMachine(machine);
  if (!record) throw new Error(`there is no machine ${machine.name} in ${machine.stack}`);
  return record;
}

function mustOwn(what: string, present: Owner | undefined, wanted: Owner): void {
  if (!present || (present.stack === wanted.stack && present.urn === wanted.urn)) return;
  throw new ForeignObjectError(what, present);
}
