import { stackFolder } from "../../host/data-folder";
import { withFileLock } from "../../host/file-lock";
import { listFolder, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import { runCommand } from "../../host/run-command";
import { ForeignObjectError, type Owner, type SegmentSpec } from "../hypervisor";
import { isOwner } from "../ownership";
import { addBridge, deleteBridge, inNamespace, listLinks, raiseBridge, stackBatch } from "./commands";
import { lockFile, machinesFolder, segmentRecord, segmentsFolder } from "./folders";
import { releaseHost, tidyRunFolder, useHost } from "./host-settings";
import { bridgeName, stackNamespace } from "./names";
import { ensureNamespace, namespaceExists, removeNamespace } from "./namespaces";

interface SegmentRecord {
  readonly owner: Owner;
}

const withStackLock = <T>(stack: string, action: () => Promise<T>): Promise<T> => withFileLock(lockFile(stack), action);

export async function ensureSegment(spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(spec.stack, async () => {
    const known = await inspectSegment(spec);
    if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
    await useHost(spec.stack);
    await writeJson(segmentRecord(spec.stack, spec.name), { owner } satisfies SegmentRecord);
    await ensureBridges(spec.stack, [spec.name]);
  });
}

export function inspectSegment(spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return readJson<SegmentRecord>(segmentRecord(spec.stack, spec.name));
}

export async function removeSegment(spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(spec.stack, async () => {
    const known = await inspectSegment(spec);
    if (known === undefined) return;
    if (!isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
    if (await bridgeExists(spec))
      await runCommand(stackBatch(spec.stack), { stdin: deleteBridge(spec.name).join("\n") });
    await removeTree(segmentRecord(spec.stack, spec.name));
  });
  await releaseStack(spec.stack);
}

/** Makes the network of a stack's recorded segments anew where it is missing, as after a restart of the host. */
export async function ensureNetwork(stack: string): Promise<void> {
  await withStackLock(stack, async () => {
    await useHost(stack);
    await ensureBridges(stack, await segmentNames(stack));
  });
}

/** When neither a segment nor a machine of the stack is left: removes what is kept per stack. */
export async function releaseStack(stack: string): Promise<void> {
  await withStackLock(stack, async () => {
    const segments = await segmentNames(stack);
    if (segments.length === 0) await removeNamespace(stackNamespace(stack));
    if (segments.length > 0 || (await listFolder(machinesFolder(stack))).length > 0) return;
    for (const folder of [segmentsFolder(stack), machinesFolder(stack), stackFolder(stack)])
      await removeIfEmpty(folder);
    await releaseHost(stack);
  });
  await tidyRunFolder();
}

export async function segmentNames(stack: string): Promise<readonly string[]> {
  const files = await listFolder(segmentsFolder(stack));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

async function ensureBridges(stack: string, segments: readonly string[]): Promise<void> {
  const namespace = stackNamespace(stack);
  await ensureNamespace(namespace);
  const links = await listInterfaces(namespace);
  const batch = segments.flatMap((segment) => {
    const link = links.find(({ ifname }) => ifname === bridgeName(segment));
    if (link?.flags.includes("UP")) return [];
    // One that is there but down: its making was interrupted half way.
    return [...(link ? [] : addBridge(segment)), ...raiseBridge(segment)];
  });
  if (batch.length === 0) return;
  await quietNamespace(namespace);
  await runCommand(stackBatch(stack), { stdin: batch.join("\n") });
}

/**
 * Frames between machines are theirs alone: the host's kernel neither filters them as if they were routed here, nor
 * takes part with addresses of its own.
 */
async function quietNamespace(namespace: string): Promise<void> {
  const settings = [
    ["/proc/sys/net/bridge/bridge-nf-call-iptables", "0"],
    ["/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0"],
    ["/proc/sys/net/bridge/bridge-nf-call-arptables", "0"],
    ["/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"],
    ["/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"],
  ] as const;
  // /proc/sys/net shows the reader's namespace, so it takes a process inside; kernels without one of them go on.
  const script = 'while [ $# -gt 0 ]; do [ ! -e "$1" ] || echo "$2" >"$1"; shift 2; done';
  await runCommand(inNamespace(namespace, ["sh", "-euc", script, "sh", ...settings.flat()]));
}

async function bridgeExists(spec: SegmentSpec): Promise<boolean> {
  const namespace = stackNamespace(spec.stack);
  if (!(await namespaceExists(namespace))) return false;
  return (await listInterfaces(namespace)).some(({ ifname }) => ifname === bridgeName(spec.name));
}

interface Interface {
  readonly ifname: string;
  readonly flags: readonly string[];
}

async function listInterfaces(namespace: string): Promise<readonly Interface[]> {
  const { stdout } = await runCommand(listLinks(namespace));
  return JSON.parse(stdout || "[]") as readonly Interface[];
}
