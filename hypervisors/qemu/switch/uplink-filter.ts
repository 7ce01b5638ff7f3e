/**
 * Decides which of a gateway's frames may reach QEMU's user-mode NAT. The NAT connects every address of its own network
 * except the name server's to the host's loopback, and 127.0.0.0/8 and 0.0.0.0/8 as well. No option of QEMU prevents that.
 * So the switch in between drops frames that would open a connection there. Answers to port-forwards, which come from the
 * router's address, still pass.
 *
 * It also drops what is addressed to the host itself, to services for virtual machines and to groups, except ranges that are
 * listed. The gateway's firewall closes the host's other networks.
 */

const LENGTH = 4;
const ETHERNET = 14;
const ARP = 0x0806;
const IPV4 = 0x0800;
const TCP = 6;
const UDP = 17;
const SYN = 0x02;
const ACK = 0x10;
const DNS = 53;

const NAT_NETWORK = 0x0a000200;
const NAT_MASK = 0xffffff00;
const NAT_NAME_SERVER = 0x0a000203;

export interface UplinkRules {
  /** The host's own addresses. */
  readonly own: readonly string[];
  /** Ranges such as `192.168.1.0/24`. */
  readonly reachable: readonly string[];
}

/** 169.254.169.254 gives credentials of cloud machines away; from 224.0.0.0 on there are no single hosts. */
const LINK_LOCAL = { address: 0xa9fe0000, mask: 0xffff0000 };
const FIRST_GROUP = 0xe0000000;

/** @param framed one frame, preceded by its length */
export function mayLeave(framed: Buffer, rules: UplinkRules = { own: [], reachable: [] }): boolean {
  if (framed.length < LENGTH + ETHERNET) return false;
  const type = framed.readUInt16BE(LENGTH + 12);
  if (type === ARP) return true;
  // The NAT supports only IPv4, and a tagged frame could hide its content.
  return type === IPV4 && mayLeavePacket(framed.subarray(LENGTH + ETHERNET), rules);
}

function mayLeavePacket(packet: Buffer, rules: UplinkRules): boolean {
  if (packet.length < 20) return false;
  const headerLength = ((packet[0] as number) & 0x0f) * 4;
  const protocol = packet[9] as number;
  const destination = packet.readUInt32BE(16);
  if (!isHostsOwn(destination)) return isOpen(destination, rules);
  // Later fragments have no ports, and a first fragment may be too short to contain flags.
  if ((packet.readUInt16BE(6) & 0x3fff) !== 0) return false;
  const payload = packet.subarray(headerLength);
  if (destination === NAT_NAME_SERVER && isForNames(protocol, payload)) return true;
  return protocol === TCP && isUnderWay(payload);
}

function isOpen(address: number, { own, reachable }: UplinkRules): boolean {
  const isClosed =
    address >= FIRST_GROUP ||
    (address & LINK_LOCAL.mask) >>> 0 === LINK_LOCAL.address ||
    own.some((each) => numberOf(each) === address);
  return !isClosed || reachable.some((range) => isIn(range, address));
}

function isIn(range: string, address: number): boolean {
  const [network = "", prefix = "32"] = range.split("/");
  const mask = Number(prefix) === 0 ? 0 : (-1 << (32 - Number(prefix))) >>> 0;
  return (address & mask) >>> 0 === (numberOf(network) & mask) >>> 0;
}

const numberOf = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const isHostsOwn = (address: number): boolean =>
  (address & NAT_MASK) >>> 0 === NAT_NETWORK || address >>> 24 === 127 || address >>> 24 === 0;

const isForNames = (protocol: number, payload: Buffer): boolean =>
  (protocol === UDP || protocol === TCP) && payload.length >= 4 && payload.readUInt16BE(2) === DNS;

/** Part of an existing connection: the NAT opens one only for a SYN without ACK. */
function isUnderWay(segment: Buffer): boolean {
  if (segment.length < 20) return false;
  const flags = segment[13] as number;
  return (flags & SYN) === 0 || (flags & ACK) !== 0;
}
