import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineSpec } from "../hypervisor";
import { overlayOptions } from "./commands";
import { imageFolder, machineFiles } from "./folders";

/**
 * A machine's containerd store. Its databases and whatever it pulls are its own. The images of the sealed store are
 * mounted from there while the machine runs: they take no space and no time, and all machines share their page cache.
 */
const CONTENT = "io.containerd.content.v1.content";
const SNAPSHOTS = "io.containerd.snapshotter.v1.overlayfs/snapshots";

export interface SharedStore {
  /** Unpacked layers, mounted permanently read-only: containerd's overlays, also those of user namespaces, lie on them. */
  readonly layers: readonly { readonly source: string; readonly target: string }[];
  /** Options of the overlay of blobs: containerd deletes and adds files among them. */
  readonly contentOptions: string;
}

const sealedFolder = (host: Host, spec: MachineSpec): string => path.join(imageFolder(host, spec.image), "containerd");

/** Creates a missing store from the image's: everything but its layers and blobs. */
export async function makeContainerStore(host: Host, spec: MachineSpec): Promise<void> {
  const { containerd, contentWork } = machineFiles(host, spec);
  const source = sealedFolder(host, spec);
  if ((await host.files.exists(containerd)) || !(await host.files.exists(source))) return;
  const half = `${containerd}.half`;
  await host.files.remove(half);
  await host.trees.createFolder(half, (await host.trees.entry(source))?.mode);
  for (const { name, kind, mode } of await host.trees.entries(source)) {
    if (isBelow(name, CONTENT) || isBelow(name, SNAPSHOTS)) continue;
    if (kind === "folder") await host.trees.createFolder(path.join(half, name), mode);
    if (kind === "file") await host.trees.copyFile(path.join(source, name), path.join(half, name), mode);
  }
  await host.files.makeFolder(contentWork, 0o700);
  await host.files.move(half, containerd);
}

/** What a start mounts into the machine's store; `undefined` for an image without container images. */
export async function shareStore(host: Host, spec: MachineSpec): Promise<SharedStore | undefined> {
  const source = sealedFolder(host, spec);
  const { containerd, contentWork } = machineFiles(host, spec);
  if (!(await host.files.exists(source))) return undefined;
  const layers = (await host.files.list(path.join(source, SNAPSHOTS))).map((name) => ({
    source: path.join(source, SNAPSHOTS, name),
    target: path.join(containerd, SNAPSHOTS, name),
  }));
  if (!(await host.files.exists(contentWork))) await dropLinks(host, source, spec);
  return {
    layers,
    contentOptions: overlayOptions(
      [path.join(source, CONTENT)],
      path.posix.join("containerd", CONTENT),
      "content-work",
    ),
  };
}

/** Earlier versions filled the store with hard links to the sealed files, which one machine could change for all. */
async function dropLinks(host: Host, source: string, spec: MachineSpec): Promise<void> {
  const { containerd, contentWork } = machineFiles(host, spec);
  for (const name of await host.files.list(path.join(source, SNAPSHOTS)))
    await host.files.remove(path.join(containerd, SNAPSHOTS, name));
  for (const name of await host.files.filesBelow(path.join(source, CONTENT)))
    await host.files.remove(path.join(containerd, CONTENT, name));
  await host.files.makeFolder(contentWork, 0o700);
}

const isBelow = (name: string, folder: string): boolean => name.startsWith(`${folder}/`);
