import type { HostProblem, SegmentAttachment, SegmentSpec } from "../hypervisor";
import type { Plug } from "./adapters";
import type { Dialect } from "./dialect";
import { internalNetwork } from "./names";
import * as commands from "./network-commands";
import { NETWORKS_CONF, rangeProblem } from "./networks-conf";
import type { Session, VirtualBox } from "./vboxmanage";

/** The network that a segment's adapters connect to, and the host object that was created for it. */
export interface Attached {
  readonly plug: Plug;
  /** The host's adapter or network that is removed with the segment; absent if it already existed. */
  readonly made?: string;
}

/** Changes nothing, because `preview` calls it too. */
export async function segmentProblems(
  box: VirtualBox,
  { name, attachment }: SegmentSpec,
): Promise<readonly HostProblem[]> {
  if (attachment?.kind === "host" && attachment.address && box.host.facts.platform !== "win32") {
    const problem = rangeProblem(await box.host.files.readText(NETWORKS_CONF), attachment.address);
    return problem ? [problem] : [];
  }
  if (attachment?.kind !== "adapter") return [];
  const listed = await box.session((session) => session.list(commands.listBridgedAdapters()));
  const names = namesOf(listed);
  if (names.includes(attachment.adapter ?? "")) return [];
  return [
    {
      id: "no-such-host-adapter",
      problem: `segment ${name} is attached to ${attachment.adapter}, which does not exist on this host`,
      hint: names.length > 0 ? `use one of: ${names.join(", ")}` : "remove the attachment: VirtualBox finds no adapter",
    },
  ];
}

/** Creates or finds the host object that the attachment needs; `before` is the result of an earlier call. */
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

/** Searches by address: VirtualBox numbers its interfaces, and leaves one behind if setting the address fails. */
async function ensureHostOnlyInterface(session: Session, ip: string, mask: string): Promise<Attached> {
  const listed = await session.list(commands.listHostOnlyInterfaces());
  const present = listed.find((fields) => fields.get("IPAddress") === ip)?.get("Name");
  if (present) return { plug: { kind: "hostonly", network: present } };
  const made = await createInterface(session, namesOf(listed));
  try {
    await session.call(commands.addressHostOnlyInterface(made, ip, mask));
    // A new registry has a DHCP server for the first interface. In our segments the gateway is the DHCP server.
    await session.call(commands.removeDhcpServer(made));
  } catch (error) {
    await session.call(commands.removeHostOnlyInterface(made));
    throw error;
  }
  return { plug: { kind: "hostonly", network: made }, made };
}

const namesOf = (listed: readonly ReadonlyMap<string, string>[]): readonly string[] =>
  listed.map((fields) => fields.get("Name") ?? "");

/** Returns the new interface's name, which is missing in the output of a call that failed after it took effect. */
async function createInterface(session: Session, before: readonly string[]): Promise<string> {
  const text = await session.call(commands.createHostOnlyInterface(before));
  const made = /Interface '([^']+)' was successfully created/.exec(text)?.[1];
  if (made !== undefined) return made;
  const added = namesOf(await session.list(commands.listHostOnlyInterfaces())).find((name) => !before.includes(name));
  if (added === undefined) throw new Error("VBoxManage hostonlyif create did not name the interface it made");
  return added;
}

async function ensureHostOnlyNetwork(session: Session, name: string, ip: string, mask: string): Promise<Attached> {
  const listed = await session.list(commands.listHostOnlyNetworks());
  const plug = { kind: "hostonlynet", network: name } as const;
  if (listed.some((fields) => fields.get("Name") === name)) return { plug };
  await session.call(commands.addHostOnlyNetwork(name, mask, ip, following(ip)));
  return { plug, made: name };
}

/** Removes what `ensureAttached` created. An object that is already missing is not an error. */
export async function detachSegment(session: Session, { plug, made }: Attached): Promise<void> {
  if (made === undefined) return;
  const isNetwork = plug.kind === "hostonlynet";
  const listed = await session.list(isNetwork ? commands.listHostOnlyNetworks() : commands.listHostOnlyInterfaces());
  if (!listed.some((fields) => fields.get("Name") === made)) return;
  await session.call(isNetwork ? commands.removeHostOnlyNetwork(made) : commands.removeHostOnlyInterface(made));
}

export const isSameAttachment = (one: SegmentAttachment | undefined, other: SegmentAttachment | undefined): boolean =>
  one?.kind === other?.kind && one?.address === other?.address && one?.adapter === other?.adapter;

function netmask(prefixLength: number): string {
  const bits = 2 ** 32 - 2 ** (32 - prefixLength);
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join(".");
}

/** The next address. No node has it, because the addresses after the host's are unused. */
const following = (ip: string): string => ip.replace(/\d+$/, (last) => String(Number(last) + 1));
