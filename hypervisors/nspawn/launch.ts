import * as path from "node:path";
import type { ProcessIdentity } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { type MachineName, type MachineSpec, OUTPUT_LIMIT, requireSegments } from "../hypervisor";
import { closeBorder, kernelCalls } from "./border";
import { setCapacity } from "./capacity";
import { guestCgroup, makeCgroups } from "./cgroups";
import {
  addCables,
  type ContainerOptions,
  mountSealed,
  overlayOptions,
  runContainer,
  stackBatch,
  withPrivateMounts,
} from "./commands";
import { shareStore } from "./container-store";
import { diskDataFolder, inspectDisk } from "./disks";
import { machineFiles } from "./folders";
import { imageLayers, KUBELET } from "./machine-root";
import { machineNamespace } from "./names";
import { ensureNamespace } from "./namespaces";
import { ensureNetwork, segmentNames } from "./segments";
import { addUplinkInterface, ensureUplink } from "./uplink";

const LAUNCHER = "start-machine.sh";

/** Creates what a machine needs while it runs (network, cgroups) and starts systemd-nspawn on its layers. */
export async function launchContainer(host: Host, spec: MachineSpec): Promise<ProcessIdentity> {
  const layers = await imageLayers(host, spec.image);
  const binds = await bindsOf(host, spec);
  await makeInterfaces(host, spec);
  const cgroups = await makeCgroups(host, spec);
  await setCapacity(host, spec);
  await closeBorder(host, cgroups);
  await ensureUplink(host, spec);
  const files = machineFiles(host, spec);
  await host.files.makeFolder(files.root);
  const legacyCgroups = cgroups.some((cgroup) => cgroup.version === 1);
  const launcher = path.join(host.folders.project(), "hypervisors", "nspawn", LAUNCHER);
  const store = await shareStore(host, spec);
  const argv = withPrivateMounts([
    ...(store ? mountSealed(kernelCalls(host), store.layers) : []),
    ...["sh", launcher, files.folder, overlayOptions(layers, "upper", "work"), store?.contentOptions ?? ""],
    ...cgroups.map(guestCgroup),
    "--",
    ...runContainer(spec, { root: "root", binds, legacyCgroups }),
  ]);
  return host.processes.start(argv, { outputFile: files.consoleLog, outputLimit: OUTPUT_LIMIT });
}

/** The processes of `start-machine.sh` for a machine, including those that have just started. */
export function launchersOf(host: Host, machine: MachineName): Promise<readonly ProcessIdentity[]> {
  const { folder } = machineFiles(host, machine);
  return host.processes.find((argv) => argv.includes(folder) && argv.some((word) => path.basename(word) === LAUNCHER));
}

async function makeInterfaces(host: Host, spec: MachineSpec): Promise<void> {
  await ensureNetwork(host, spec.stack);
  requireSegments(spec, await segmentNames(host, spec.stack));
  await ensureNamespace(host, machineNamespace(spec));
  await addUplinkInterface(host, spec);
  if (spec.nics.length > 0) await host.run(stackBatch(spec.stack), { stdin: addCables(spec).join("\n") });
}

async function bindsOf(host: Host, spec: MachineSpec): Promise<ContainerOptions["binds"]> {
  const files = machineFiles(host, spec);
  const binds = [{ source: files.seed, target: "/var/lib/cloud/seed/nocloud", readOnly: true }];
  const optional = [
    { source: files.containerd, target: "/var/lib/containerd", readOnly: false },
    { source: files.kubelet, target: `/${KUBELET}`, readOnly: false },
    // Gluster mounts use FUSE.
    { source: "/dev/fuse", target: "/dev/fuse", readOnly: false },
  ];
  for (const bind of optional) if (await host.files.exists(bind.source)) binds.push(bind);
  for (const { disk, mountPoint } of spec.disks) {
    const name = { stack: spec.stack, name: disk };
    if (!(await inspectDisk(host, name))) {
      throw new UserError(
        "disk-missing",
        `disk ${disk} of machine ${spec.name} does not exist`,
        "create the disk first",
      );
    }
    binds.push({ source: diskDataFolder(host, name), target: mountPoint, readOnly: false });
  }
  return binds;
}
