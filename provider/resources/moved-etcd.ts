import * as path from "node:path";
import type { Guest } from "../../guests/guest";
import { stackFolder } from "../../host/data-folder";
import { exists, openFile, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import type { MachineName, MachineState } from "../../hypervisors/hypervisor";
import { guestPaths } from "../../model/guest-paths";
import type { Context } from "../rpc/resource-handler";
import { reasonOf } from "./guest-waiting";
import { receiveFile } from "./receive-file";

/**
 * The data of the only member of etcd and the keys of its master, on the way from one system disk to the next one. etcd has stopped before
 * they are read, and there is no other member that could accept a write: so they are complete as long as the disk that they come from
 * does not run again.
 *
 * They are in the stack's folder until the cluster works from the other disk, and are as secret as the disks beside it.
 */
const folderOf = (stack: string): string => path.join(stackFolder(stack), "moved-etcd");
const nodeFolder = ({ stack, name }: MachineName): string => path.join(folderOf(stack), name);
const stoppedFile = (machine: MachineName): string => path.join(nodeFolder(machine), "stopped.json");
const dataFile = (machine: MachineName): string => path.join(nodeFolder(machine), "data.tar.gz");

const COPY_MS = 15 * 60_000;

interface Stopped {
  /**
   * The control plane that runs from the disk of this image was told to stop; only a restart of its machine starts it again. Empty: the
   * data come from a disk that is gone. Every exchange writes it again, so it never names the disk that is put in.
   */
  readonly image: string;
}

/** Whether a disk of etcd's only member is on its way. */
export const isMoving = (machine: MachineName): Promise<boolean> => exists(stoppedFile(machine));

/** Whether the control plane on the present disk was told to stop, for a copy that the next disk has not got. */
export async function isStopped({ spec }: Pick<MachineState, "spec">): Promise<boolean> {
  return (await readJson<Stopped>(stoppedFile(spec)))?.image === spec.image;
}

/** From here on the disk must not run before the data are forgotten. */
export async function noteStopped(machine: MachineName, image: string): Promise<void> {
  await removeTree(dataFile(machine));
  await writeJson(stoppedFile(machine), { image } satisfies Stopped);
}

/** The data are those of no disk that the machine has: it is put in without having run, or another one is put in its place. */
export const noteSourceGone = (machine: MachineName): Promise<void> =>
  writeJson(stoppedFile(machine), { image: "" } satisfies Stopped);

export const hasMovedData = (machine: MachineName): Promise<boolean> => exists(dataFile(machine));

/** When the cluster works from the other disk, or before the one that they come from runs again. The note is removed last. */
export async function forgetMoved(machine: MachineName): Promise<void> {
  await removeTree(dataFile(machine));
  await removeTree(nodeFolder(machine));
  await removeIfEmpty(folderOf(machine.stack));
}

const argvOf = (script: string, name: string): readonly [string, ...string[]] => [
  ...(["/bin/bash", "-c", script, name] as const),
  ...[guestPaths.etcdData, guestPaths.kubernetes, guestPaths.state, guestPaths.movedEtcd],
];

/**
 * Stops the control plane until the machine restarts, and prints the data. An empty file system takes the place of etcd's folder before the
 * last check, so that whatever starts etcd again meanwhile cannot add to the data that are read. A mount that is not private would get it, too.
 */
const TAKE = `set -eu -o pipefail
data=$1 kubernetes=$2 read=$4
systemctl stop groundplane-cluster.service 'kubelet.servic[e]' >&2
end_etcd() {
  systemctl stop 'etcd.servic[e]' >&2
  while pkill --full "^etcd .*--data-dir=$data( |\\$)"; do
    if [ "$SECONDS" -ge 60 ]; then echo "etcd does not end" >&2; exit 1; fi
    sleep 0.1
  done
}
end_etcd
mkdir -p "$read"
if ! mountpoint --quiet "$read"; then mount --bind --make-private "$data" "$read"; fi
if [ "$(stat --file-system --format=%T "$data")" != tmpfs ]; then mount -t tmpfs -o ro,mode=0700 tmpfs "$data"; fi
end_etcd
[ -d "$read/member" ] || { echo "this machine has no data of etcd" >&2; exit 1; }
exec tar --create --file=- --gzip --sparse --directory="$read" member --directory="$kubernetes" pki
`;

/** Reads the data from the disk that the machine runs from. */
export async function takeData(master: Guest, machine: MachineName, { signal }: Context): Promise<void> {
  const what = `the data of etcd cannot be read from ${machine.name}`;
  await receiveFile(master, argvOf(TAKE, "take-etcd"), { file: dataFile(machine), what, signal, timeoutMs: COPY_MS });
}

/** Before the machine has its order. May be killed anywhere and run again: etcd's folder gets its name when it is complete. */
const PUT = `set -eu -o pipefail
umask 077
data=$1 kubernetes=$2 state=$3
if [ -e "$state/order" ]; then echo "this machine has its order" >&2; exit 1; fi
mkdir -p "$data" "$kubernetes/pki"
rm -rf "$data/moved" "$data/member"
mkdir "$data/moved"
tar --extract --file=- --gzip --same-permissions --directory="$data/moved"
chown -R --reference="$data" "$data/moved/member"
cp -a "$data/moved/pki/." "$kubernetes/pki/"
mv "$data/moved/member" "$data/member"
rm -rf "$data/moved"
sync
`;

/** Writes the data to a disk whose etcd has never run. */
export async function putData(master: Guest, machine: MachineName, { signal }: Context): Promise<void> {
  const options = { input: openFile(dataFile(machine)), signal, timeoutMs: COPY_MS };
  const result = await master.run(argvOf(PUT, "put-etcd"), options);
  if (result.code !== 0) throw new Error(`the data of etcd cannot be written to ${machine.name}: ${reasonOf(result)}`);
}
