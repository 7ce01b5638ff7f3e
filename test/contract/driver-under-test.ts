import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hypervisor, MachineSpec, Owner, SeedFiles } from "../../hypervisors/hypervisor";
import { typescriptArguments } from "../support/typescript-arguments";

/** A driver that must do what the comments in hypervisors/hypervisor.ts promise. */
export interface DriverUnderTest {
  /** A new instance, as in another process. It has no state besides the hypervisor's. */
  readonly create: () => Hypervisor;
  /** The same for a separate process, which the suite kills: a source file and an expression over its exports and `localHost`. */
  readonly inOtherProcess: { readonly file: string; readonly expression: string };
  /** An image that exists, and a name of one that does not. */
  readonly image: () => Promise<string>;
  readonly absentImage: string;
  /** A second image, for drivers that exchange system disks. */
  readonly otherImage?: () => Promise<string>;
  /** A file on the machine's system disk; `undefined` = not there. Only while the machine is stopped. */
  readonly systemFile?: (stack: string, machine: string) => DiskFile;
  /** Everything on the host that belongs to these stacks, also data disks, one line each. */
  readonly traces: (stacks: readonly string[]) => Promise<readonly string[]>;
  /** Writes a file on the machine's data disk, and reads it (`undefined` = not there). */
  readonly diskFile?: (stack: string, disk: string) => DiskFile;
  /** Problems of the host, by id, that the suite works around. */
  readonly knownProblems?: readonly string[];
  /** Why the suite cannot run here. */
  readonly skip?: string | false;
}

export interface DiskFile {
  write(text: string): Promise<void>;
  read(): Promise<string | undefined>;
}

/** No stack of a user and no other run of this suite has these names. */
const suffix = process.pid.toString(36);
export const stacks = { one: `contract-a-${suffix}`, two: `contract-b-${suffix}` };
export const owner = (urn: string, stack = stacks.one): Owner => ({
  stack,
  urn: `urn:pulumi:${stack}::contract::${urn}`,
});
export const outsider: Owner = { stack: "outsiders", urn: "urn:pulumi:outsiders::contract::outsider" };

export const contractSeed: SeedFiles = {
  userData: "#cloud-config\nssh_genkeytypes: [ed25519]\n",
  metaData: "instance-id: contract\nlocal-hostname: contract\n",
  networkConfig: "version: 2\nethernets: {}\n",
};

export function contractMachine(image: string, name = "machine-1", stack = stacks.one): MachineSpec {
  const digit = name.slice(-1);
  return {
    stack,
    name,
    // As in the plan: machines of the same name in two stacks are different machines.
    uuid: `6f1d3c1e-000${stack === stacks.one ? 1 : 2}-5000-8000-00000000000${digit}`,
    image,
    cpus: 1,
    memoryMiB: 512,
    diskGiB: 4,
    nics: [{ segment: "dmz", name: "dmz", mac: `52:54:00:c0:00:0${digit}` }],
    disks: [],
  };
}

/** Does the work in a separate process and kills it with SIGKILL `killAfterMs` after the start. */
export async function killedMidway(
  driver: DriverUnderTest,
  spec: MachineSpec,
  work: "makeAndStart" | "remove" | "exchange" | "createSnapshot" | "restoreSnapshot",
  killAfterMs: number,
): Promise<void> {
  const { file, expression } = driver.inOtherProcess;
  const [specText, seedText, ownerText] = [spec, contractSeed, owner(spec.name)].map((value) => JSON.stringify(value));
  const script = `
    const { ${expression.split(/[^\w]/)[0]} } = require(${JSON.stringify(file)});
    const { localHost } = require(${JSON.stringify(require.resolve("../../host/local-host"))});
    const driver = ${expression};
    console.log("begun");
    ${
      {
        remove: `driver.removeMachine(${specText}, ${ownerText});`,
        makeAndStart: `driver.ensureMachine(${specText}, ${seedText}, ${ownerText}).then(() => driver.startMachine(${specText}));`,
        exchange: `driver.systemDisks.exchangeSystemDisk(${specText}, ${JSON.stringify(spec.image)}, ${seedText}, ${ownerText});`,
        createSnapshot: `driver.snapshots.createSnapshot({ stack: ${JSON.stringify(spec.stack)}, name: "killed" });`,
        restoreSnapshot: `driver.snapshots.restoreSnapshot({ stack: ${JSON.stringify(spec.stack)}, name: "kept" });`,
      }[work]
    }`;
  const child = spawn(process.execPath, [...typescriptArguments, "-e", script], {
    cwd: path.join(__dirname, "../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  await sleep(killAfterMs);
  await killAndWait(child);
}

async function killAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
