import type { Host } from "../../model/host";
import { ForeignObjectError, isOwner, type Owner, type SegmentSpec } from "../hypervisor";
import { removeAllSnapshots } from "../snapshots/snapshot-files";
import { addBridge, deleteBridge, inNamespace, listLinks, raiseBridge, stackBatch } from "./commands";
import { lockFile, machinesFolder, segmentRecord, segmentsFolder } from "./folders";
import { releaseHost, tidyRunFolder, useHost } from "./host-settings";
import { bridgeName, stackNamespace } from "./names";
import { ensureNamespace, namespaceExists, removeNamespace } from "./namespaces";

interface SegmentRecord {
  readonly owner: Owner;
}

const withStackLock = <T>(host: Host, stack: string, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(lockFile(stack), action);

export async function ensureSegment(host: Host, spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(host, spec.stack, async () => {
    const known = await inspectSegment(host, spec);
    if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
    await useHost(host, spec.stack);
    await host.files.writeJson(segmentRecord(host, spec.stack, spec.name), { owner } satisfies SegmentRecord);
    await ensureBridges(host, spec.stack, [spec.name]);
  });
}

export function inspectSegment(host: Host, spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return host.files.readJson<SegmentRecord>(segmentRecord(host, spec.stack, spec.name));
}

export async function removeSegment(host: Host, spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(host, spec.stack, async () => {
    const known = await inspectSegment(host, spec);
    if (known === undefined) return;
    if (!isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
    if (await bridgeExists(host, spec))
      await host.run(stackBatch(spec.stack), { stdin: deleteBridge(spec.name).join("\n") });
    await host.files.remove(segmentRecord(host, spec.stack, spec.name));
  });
  await releaseStack(host, spec.stack);
}

/** Recreates the missing network of a stack's recorded segments, e.g. after a restart of the host. */
export async function ensureNetwork(host: Host, stack: string): Promise<void> {
  await withStackLock(host, stack, async () => {
    await useHost(host, stack);
    await ensureBridges(host, stack, await segmentNames(host, stack));
  });
}

/** Removes what is kept per stack when the stack has neither segments nor machines. */
export async function releaseStack(host: Host, stack: string): Promise<void> {
  await withStackLock(host, stack, async () => {
    const segments = await segmentNames(host, stack);
    if (segments.length === 0) await removeNamespace(host, stackNamespace(stack));
    if (segments.length > 0 || (await host.files.list(machinesFolder(host, stack))).length > 0) return;
    await removeAllSnapshots(host, stack);
    for (const folder of [segmentsFolder(host, stack), machinesFolder(host, stack), host.folders.stack(stack)])
      await host.files.removeIfEmpty(folder);
    await releaseHost(host, stack);
  });
  await tidyRunFolder(host);
}

export async function segmentNames(host: Host, stack: string): Promise<readonly string[]> {
  const files = await host.files.list(segmentsFolder(host, stack));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

async function ensureBridges(host: Host, stack: string, segments: readonly string[]): Promise<void> {
  const namespace = stackNamespace(stack);
  await ensureNamespace(host, namespace);
  const links = await listInterfaces(host, namespace);
  const batch = segments.flatMap((segment) => {
    const link = links.find(({ ifname }) => ifname === bridgeName(segment));
    if (link?.flags.includes("UP")) return [];
    // A link that exists but is down: its creation was interrupted.
    return [...(link ? [] : addBridge(segment)), ...raiseBridge(segment)];
  });
  if (batch.length === 0) return;
  await quietNamespace(host, namespace);
  await host.run(stackBatch(stack), { stdin: batch.join("\n") });
}

/**
 * Keeps the host's kernel out of the traffic between machines: it neither filters their frames as routed traffic nor has
 * addresses of its own on the segments.
 */
async function quietNamespace(host: Host, namespace: string): Promise<void> {
  const settings = [
    ["/proc/sys/net/bridge/bridge-nf-call-iptables", "0"],
    ["/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0"],
    ["/proc/sys/net/bridge/bridge-nf-call-arptables", "0"],
    ["/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"],
    ["/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"],
  ] as const;
  // /proc/sys/net shows the reader's namespace, so a process inside must write. Missing settings are skipped.
  const script = 'while [ $# -gt 0 ]; do [ ! -e "$1" ] || echo "$2" >"$1"; shift 2; done';
  await host.run(inNamespace(namespace, ["sh", "-euc", script, "sh", ...settings.flat()]));
}

async function bridgeExists(host: Host, spec: SegmentSpec): Promise<boolean> {
  const namespace = stackNamespace(spec.stack);
  if (!(await namespaceExists(host, namespace))) return false;
  return (await listInterfaces(host, namespace)).some(({ ifname }) => ifname === bridgeName(spec.name));
}

interface Interface {
  readonly ifname: string;
  readonly flags: readonly string[];
}

async function listInterfaces(host: Host, namespace: string): Promise<readonly Interface[]> {
  const { stdout } = await host.run(listLinks(namespace));
  return JSON.parse(stdout || "[]") as readonly Interface[];
}
