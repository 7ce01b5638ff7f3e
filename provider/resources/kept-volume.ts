import * as path from "node:path";
import type { Guest } from "../../guests/guest";
import { stackFolder } from "../../host/data-folder";
import { exists, readIfPresent, removeIfEmpty, removeTree, writeFileAtomic } from "../../host/file-store";
import { guestPaths, volumeName } from "../../model/guest-paths";
import type { Context } from "../rpc/resource-handler";
import { reasonOf } from "./guest-waiting";

/**
 * The definition of the volume, which the only storage machine has on its system disk: its id, its options, and the password of its
 * clients. The data are on the data disk. Mounted clients reconnect only to the same volume, so it is not created again. It is kept
 * in the stack's folder until the machine has it again.
 */
const folderOf = (stack: string): string => path.join(stackFolder(stack), "kept-volume");
const fileOf = (stack: string, node: string): string => path.join(folderOf(stack), node);

const SCRIPT_MS = 60_000;

const scripts = {
  /** Prints nothing where there is no volume. */
  keep: `set -eu -o pipefail
cd "$1"
[ -e "vols/$2/info" ] || exit 0
files=(vols)
for file in glusterd.info options; do [ ! -e "$file" ] || files+=("$file"); done
tar -cz "\${files[@]}" | base64 -w0`,
  /** A volume that was created meanwhile gives way. The folder of volumes comes last, and as a whole. */
  return: `set -eu -o pipefail
kept=$1/.kept
id() { sed -n 's/^volume-id=//p' "$1/vols/$2/info" 2>/dev/null || true; }
rm -rf "$kept"
mkdir -m 0700 "$kept"
trap 'rm -rf "$kept"' EXIT
base64 -d | tar -C "$kept" -xz
[ "$(id "$1" "$2")" != "$(id "$kept" "$2")" ] || exit 0
trap 'rm -rf "$kept"; systemctl start glusterd' EXIT
systemctl stop glusterd
pkill -x glusterfsd || true
rm -rf "$1/vols"
for file in glusterd.info options; do [ ! -e "$kept/$file" ] || mv "$kept/$file" "$1/$file"; done
sync -f "$kept"
mv "$kept/vols" "$1/vols"`,
} as const;

const argvOf = (script: keyof typeof scripts) =>
  ["/bin/bash", "-c", scripts[script], `${script}-volume`, guestPaths.glusterState, volumeName] as const;

export const hasKeptVolume = (stack: string, node: string): Promise<boolean> => exists(fileOf(stack, node));

/** The machine must still run from the disk that is exchanged. */
export async function keepVolume(storage: Guest, stack: string, node: string, { signal }: Context): Promise<void> {
  const result = await storage.run(argvOf("keep"), { signal, timeoutMs: SCRIPT_MS });
  if (result.code !== 0)
    throw new Error(`the definition of the volume cannot be read from ${node}: ${reasonOf(result)}`);
  if (result.stdout === "") return forgetVolume(stack, node);
  await writeFileAtomic(fileOf(stack, node), result.stdout, 0o600);
}

/** Gives the machine back the volume, if it has none or another one. */
export async function returnVolume(storage: Guest, stack: string, node: string, { signal }: Context): Promise<void> {
  const stdin = await readIfPresent(fileOf(stack, node));
  if (stdin === undefined) return;
  const result = await storage.run(argvOf("return"), { stdin, signal, timeoutMs: SCRIPT_MS });
  if (result.code !== 0)
    throw new Error(`the definition of the volume cannot be written to ${node}: ${reasonOf(result)}`);
}

export async function forgetVolume(stack: string, node: string): Promise<void> {
  await removeTree(fileOf(stack, node));
  await removeIfEmpty(folderOf(stack));
}
