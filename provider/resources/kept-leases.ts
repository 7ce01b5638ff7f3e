import * as path from "node:path";
import type { Guest } from "../../guests/guest";
import { stackFolder } from "../../host/data-folder";
import { exists, readIfPresent, removeIfEmpty, removeTree, writeFileAtomic } from "../../host/file-store";
import { guestPaths } from "../../model/guest-paths";
import type { Context } from "../rpc/resource-handler";
import { reasonOf } from "./guest-waiting";

/**
 * The DHCP leases of the gateway, which are on its system disk. Hosts that the plan does not know keep their addresses and names by
 * them. They are kept in the stack's folder until the gateway has them again.
 */
const folderOf = (stack: string): string => path.join(stackFolder(stack), "kept-leases");
const fileOf = (stack: string, node: string): string => path.join(folderOf(stack), node);

const SCRIPT_MS = 60_000;

/** Adds the lines of standard input whose card and address have no lease. dnsmasq reads the file only when it starts. */
const script = `set -eu -o pipefail
kept=$(cat)
lacking() {
  awk 'kept { if (!($2 in taken) && !($3 in taken)) print; next } { taken[$2]; taken[$3] }' "$1" kept=1 - <<<"$kept"
}
[ -e "$1" ] || : >"$1"
[ -n "$(lacking "$1")" ] || exit 0
trap 'systemctl start dnsmasq' EXIT
systemctl stop dnsmasq
cp --preserve=all "$1" "$1.new"
lacking "$1" >>"$1.new"
sync "$1.new"
mv "$1.new" "$1"`;

export const hasKeptLeases = (stack: string, node: string): Promise<boolean> => exists(fileOf(stack, node));

/** The gateway must still run from the disk that is exchanged. */
export async function keepLeases(gateway: Guest, stack: string, node: string, { signal }: Context): Promise<void> {
  const [leases] = await gateway.readFiles([guestPaths.dhcpLeases], signal);
  if (leases === undefined || leases.content === "") return forgetLeases(stack, node);
  await writeFileAtomic(fileOf(stack, node), leases.content, 0o600);
}

/** Gives the gateway back what it lacks. */
export async function returnLeases(gateway: Guest, stack: string, node: string, { signal }: Context): Promise<void> {
  const stdin = await readIfPresent(fileOf(stack, node));
  if (stdin === undefined) return;
  const argv = ["/bin/bash", "-c", script, "return-leases", guestPaths.dhcpLeases] as const;
  const result = await gateway.run(argv, { stdin, signal, timeoutMs: SCRIPT_MS });
  if (result.code !== 0) throw new Error(`the DHCP leases of ${node} cannot be written: ${reasonOf(result)}`);
}

export async function forgetLeases(stack: string, node: string): Promise<void> {
  await removeTree(fileOf(stack, node));
  await removeIfEmpty(folderOf(stack));
}
