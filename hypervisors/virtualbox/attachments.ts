import type { HostProblem, SegmentAttachment, SegmentSpec } from "../hypervisor";
import type { Plug } from "./adapters";
import * as commands from "./commands";
import type { Dialect } from "./dialect";
import { VirtualBoxError } from "./known-issues";
import { internalNetwork } from "./names";
import { NETWORKS_CONF, rangeProblem } from "./networks-conf";
import { parseFields } from "./parse-output";
import type { Session, VirtualBox } from "./vboxmanage";

/** What a segment's cables are plugged into, and what of the host was made for it. */
export interface Attached {
  readonly plug: Plug;
  /** The host's adapter or network that goes with the segment; absent when it was there before. */
  readonly made?: string;
}

/** Looks only: a preview asks as well. */
export async function segmentProblems(
  box: VirtualBox,
  { name, attachment }: SegmentSpec,
): Promise<readonly HostProblem[]> {
  if (attachment?.kind === "host" && attachment.address && box.host.facts.platform !== "win32") {
    const problem = rangeProblem(await box.host.files.readText(NETWORKS_CONF), attachment.address);
    return problem ? [problem] : [];
  }
  if (attachment?.kind !== "adapter") return [];
  const listed = parseFields(await box.session((session) => session.call(commands.listBridgedAdapters())));
  const names = listed.map((fields) => fields.get("Name") ?? "");
  if (names.includes(attachment.adapter ?? "")) return [];
  return [
    {
      id: "no-such-host-adapter",
      problem: `segment ${name} is attached to ${attachment.adapter}, which this host has not`,
      hint: names.length > 0 ? `use one of: ${names.join(", ")}` : "remove the attachment: VirtualBox finds no adapter",
    },
  ];
}

/** Makes what the attachment needs of the host, or finds it; `before` is what an earlier call gave. */
export async function ensureAttached(
  session: Session,
  dialect: Dialect,
  spec: SegmentSpec,
  before: Attached | undefined,
): Promise<Attached> {
  const { stack, name, attachment } = spec;
  if (!attachment) return { plug: { kind: "intnet", network: internalNetwork(stack, name) } };
  if (attachment.kind === "adapter") return { plug: { kind: "bridged", network: attachment.adapter ?? "" } };
  const [ip = "", prefix = ""] = (attachment.address ?? "").split("/");
  const mask = netmask(Number(prefix));
  const attached =
    dialect.hostOnly === "network"
      ? await ensureHostOnlyNetwork(session, internalNetwork(stack, name), ip, mask)
      : await ensureHostOnlyInterface(session, ip, mask);
  const isSame = before?.made !== undefined && before.made === networkOf(attached.plug);
  return isSame ? { ...attached, made: before.made } : attached;
}

const networkOf = (plug: Plug): string | undefined => (plug.kind === "nat" ? undefined : plug.network);

/** By its address first: VirtualBox numbers its interfaces, and leaves one behind where giving the address fails. */
async function ensureHostOnlyInterface(session: Session, ip: string, mask: string): Promise<Attached> {
  const listed = parseFields(await session.call(commands.listHostOnlyInterfaces()));
  const present = listed.find((fields) => fields.get("IPAddress") === ip)?.get("Name");
  if (present) return { plug: { kind: "hostonly", network: present } };
  const made = /Interface '([^']+)' was successfully created/.exec(
    await session.call(commands.createHostOnlyInterface()),
  )?.[1];
  if (made === undefined) throw new Error("VBoxManage hostonlyif create did not name the interface it made");
  try {
    await session.call(commands.addressHostOnlyInterface(made, ip, mask));
    // A new registry has a DHCP server for the first of them; ours is the gateway.
    await ignoringFailure(session.call(commands.removeDhcpServer(made)));
  } catch (error) {
    await session.call(commands.removeHostOnlyInterface(made));
    throw error;
  }
  return { plug: { kind: "hostonly", network: made }, made };
}

async function ensureHostOnlyNetwork(session: Session, name: string, ip: string, mask: string): Promise<Attached> {
  const listed = parseFields(await session.call(commands.listHostOnlyNetworks()));
  const plug = { kind: "hostonlynet", network: name } as const;
  if (listed.some((fields) => fields.get("Name") === name)) return { plug };
  await session.call(commands.addHostOnlyNetwork(name, mask, ip, following(ip)));
  return { plug, made: name };
}

/** Takes back what `ensureAttached` made; what is gone already is fine. */
export async function detachSegment(session: Session, { plug, made }: Attached): Promise<void> {
  if (made === undefined) return;
  const isNetwork = plug.kind === "hostonlynet";
  const listed = parseFields(
    await session.call(isNetwork ? commands.listHostOnlyNetworks() : commands.listHostOnlyInterfaces()),
  );
  if (!listed.some((fields) => fields.get("Name") === made)) return;
  await session.call(isNetwork ? commands.removeHostOnlyNetwork(made) : commands.removeHostOnlyInterface(made));
}

async function ignoringFailure(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof VirtualBoxError)) throw error;
  }
}

export const isSameAttachment = (one: SegmentAttachment | undefined, other: SegmentAttachment | undefined): boolean =>
  one?.kind === other?.kind && one?.address === other?.address && one?.adapter === other?.adapter;

function netmask(prefixLength: number): string {
  const bits = 2 ** 32 - 2 ** (32 - prefixLength);
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join(".");
}

/** The next address, which no node has: the host's own is followed by unused ones. */
const following = (ip: string): string => ip.replace(/\d+$/, (last) => String(Number(last) + 1));
