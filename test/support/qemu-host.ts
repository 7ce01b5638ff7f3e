import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { localHost } from "../../host/local-host";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import { hostProblems } from "../../hypervisors/qemu/host-checks";
import { runtimeFolder } from "../../hypervisors/qemu/names";
import { entriesBelow } from "./folder-contents";
import { onSignal } from "./on-signal";
import { qemuGuestDisk } from "./qemu-guest-disk";
import { removeMachines } from "./remove-machines";

/** A separate data folder for tests on real QEMU, with an image whose guest is a boot sector. */
export interface QemuHost {
  readonly data: string;
  readonly image: string;
  readonly remove: () => void;
}

/** Why QEMU cannot run here. `false` = it can. */
export async function qemuSkipReason(): Promise<string | false> {
  const [problem] = await hostProblems(localHost);
  return problem ? `${problem.problem}: ${problem.hint}` : false;
}

/** Switches this process and its children to a new data folder. */
export function makeQemuHost(): QemuHost {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "gp-qemu-"));
  process.env.GROUNDPLANE_DATA = data;
  const image = sealDiskImage("boot-sector-1", qemuGuestDisk());
  const remove = () => fs.rmSync(data, { recursive: true, force: true });
  onSignal(async () => {
    await removeMachines(createQemuDriver(localHost), data);
    remove();
  });
  return { data, image, remove };
}

/** Adds a raw disk to the image store as `image/` does. Returns its name. */
export function sealDiskImage(name: string, disk: Buffer): string {
  const folder = path.join(process.env.GROUNDPLANE_DATA as string, "images", name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "disk.raw"), disk);
  const digest = `sha256:${createHash("sha256").update(disk).digest("hex")}`;
  const record = { name, digest, form: "disk", sizeBytes: disk.length };
  fs.writeFileSync(path.join(folder, "image.json"), JSON.stringify(record));
  return name;
}

/** Everything on the host that has the names of these stacks or is in their folders, one line each. */
export async function qemuTracesOf(data: string, stacks: readonly string[]): Promise<readonly string[]> {
  const names = stacks.flatMap((stack) => [
    `gp-${stack}.`,
    runtimeFolder(localHost, stack),
    path.join(data, "stacks", stack),
    path.join(data, "disks", stack),
  ]);
  const marked = (line: string): boolean => names.some((name) => `${line}/`.includes(name));
  return [
    ...processes()
      .filter(marked)
      .map((line) => `process ${line}`),
    ...stacks.flatMap((stack) => filesBelow(runtimeFolder(localHost, stack))),
    ...filesBelow(path.join(data, "stacks")).filter(marked),
    ...filesBelow(path.join(data, "disks")).filter(marked),
  ];
}

function processes(): readonly string[] {
  return fs.readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      return [fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ")];
    } catch {
      return [];
    }
  });
}

function filesBelow(folder: string): readonly string[] {
  if (!fs.existsSync(folder)) return [];
  return [folder, ...entriesBelow(folder).map((file) => path.join(folder, file))];
}
