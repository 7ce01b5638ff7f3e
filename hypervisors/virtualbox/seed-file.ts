import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineName, SeedFiles } from "../hypervisor";
import { seedIso } from "../seed-iso";
import { machineFiles } from "./folders";
import type { MachineRecord } from "./machine-record";
import { forgetSeed } from "./remove-machine";
import type { Session } from "./vboxmanage";

/**
 * The CD for cloud-init. A changed seed is another file, so that the CD can be replaced on any host while the machine
 * runs.
 * @returns the file's name in the machine's folder
 */
export async function writeSeed(host: Host, machine: MachineName, seed: SeedFiles): Promise<string> {
  const content = seedIso(seed);
  const name = `seed-${createHash("sha256").update(content).digest("hex").slice(0, 12)}.iso`;
  const { folder } = machineFiles(host, machine);
  await host.files.makeFolder(folder, 0o700);
  const file = path.join(folder, name);
  if (!(await host.files.exists(file))) await host.files.writeAtomic(file, content, 0o600);
  return name;
}

/** Removes the machine's former seeds. */
export async function forgetOtherSeeds(host: Host, session: Session, { spec, seed }: MachineRecord): Promise<void> {
  const { folder } = machineFiles(host, spec);
  for (const name of await host.files.list(folder)) {
    if (name.endsWith(".iso") && name !== seed) await forgetSeed(host, session, path.join(folder, name));
  }
}
