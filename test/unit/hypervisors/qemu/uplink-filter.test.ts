import assert from "node:assert/strict";
import { test } from "node:test";
import { mayLeave } from "../../../../hypervisors/qemu/switch/uplink-filter";

const [TCP, UDP, ICMP] = [6, 17, 1];
const [SYN, ACK, FIN, RST] = [0x02, 0x10, 0x01, 0x04];
const OUTSIDE = "93.184.216.34";
const ROUTER = "10.0.2.2";
const NAME_SERVER = "10.0.2.3";

interface Packet {
  readonly protocol?: number;
  readonly port?: number;
  readonly flags?: number;
  /** Flags and fragment offset, as in the header. */
  readonly fragment?: number;
  /** Bytes of options after the header. */
  readonly options?: number;
  readonly type?: number;
}

/** A frame of the gateway after its length. */
function frame(to: string, packet: Packet = {}): Buffer {
  const { protocol = TCP, port = 80, flags = SYN, fragment = 0, options = 0, type = 0x0800 } = packet;
  const header = Buffer.alloc(20 + options);
  header[0] = 0x40 | (header.length / 4);
  header.writeUInt16BE(fragment, 6);
  header[9] = protocol;
  Buffer.from(to.split(".").map(Number)).copy(header, 16);
  const payload = Buffer.alloc(20);
  payload.writeUInt16BE(port, 2);
  payload[13] = flags;
  const ethernet = Buffer.alloc(14);
  ethernet.writeUInt16BE(type, 12);
  const content = Buffer.concat([ethernet, header, payload]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

test("connections to the outside pass", () => {
  for (const protocol of [TCP, UDP, ICMP]) assert.equal(mayLeave(frame(OUTSIDE, { protocol })), true);
  assert.equal(mayLeave(frame(OUTSIDE, { fragment: 0x2000 })), true);
});

test("a new connection to an address that the NAT maps to the host's loopback is dropped", () => {
  for (const to of [ROUTER, "10.0.2.4", "10.0.2.255", "10.0.2.0", "127.0.0.1", "127.1.2.3", "0.0.0.0"]) {
    assert.equal(mayLeave(frame(to)), false, `TCP to ${to}`);
    assert.equal(mayLeave(frame(to, { flags: SYN | 0xc0 })), false, `TCP with ECN to ${to}`);
    assert.equal(mayLeave(frame(to, { options: 8 })), false, `TCP behind options to ${to}`);
    assert.equal(mayLeave(frame(to, { protocol: UDP, port: 53 })), false, `UDP to ${to}`);
    assert.equal(mayLeave(frame(to, { protocol: ICMP })), false, `ICMP to ${to}`);
  }
});

test("the host, metadata services and groups are closed, unless a listed range contains them", () => {
  const own = ["192.168.1.5", "203.0.113.7"];
  const closed = ["169.254.169.254", "255.255.255.255", "224.0.0.251", "240.0.0.1", ...own];
  for (const to of closed) {
    for (const protocol of [TCP, UDP, ICMP])
      assert.equal(mayLeave(frame(to, { protocol }), { own, reachable: [] }), false, to);
    assert.equal(mayLeave(frame(to, { flags: ACK }), { own, reachable: [] }), false, `${to}, under way`);
  }
  assert.equal(mayLeave(frame("192.168.1.6"), { own, reachable: [] }), true, "the gateway's firewall closes it");
  assert.equal(mayLeave(frame("192.168.1.5"), { own, reachable: ["192.168.1.0/24"] }), true);
  assert.equal(mayLeave(frame("203.0.113.7"), { own, reachable: ["192.168.1.0/24", "203.0.113.7/32"] }), true);
  assert.equal(mayLeave(frame("127.0.0.1"), { own, reachable: ["0.0.0.0/0"] }), false, "the loopback is never open");
});

test("responses of port-forwards pass", () => {
  for (const flags of [SYN | ACK, ACK, FIN | ACK, RST]) assert.equal(mayLeave(frame(ROUTER, { flags })), true);
});

test("only DNS queries pass to the name server", () => {
  assert.equal(mayLeave(frame(NAME_SERVER, { protocol: UDP, port: 53 })), true);
  assert.equal(mayLeave(frame(NAME_SERVER, { protocol: TCP, port: 53 })), true);
  assert.equal(mayLeave(frame(NAME_SERVER, { protocol: UDP, port: 69 })), false);
  assert.equal(mayLeave(frame(NAME_SERVER, { protocol: TCP, port: 22 })), false);
});

test("a fragment to the host's own addresses is dropped, because it may hide its destination port", () => {
  assert.equal(mayLeave(frame(ROUTER, { flags: ACK, fragment: 0x2000 })), false);
  assert.equal(mayLeave(frame(ROUTER, { flags: ACK, fragment: 0x0001 })), false);
  // "do not fragment" does not mark a fragment
  assert.equal(mayLeave(frame(ROUTER, { flags: ACK, fragment: 0x4000 })), true);
});

test("ARP passes, and frames of other protocols or without a complete header are dropped", () => {
  assert.equal(mayLeave(frame(ROUTER, { type: 0x0806 })), true);
  assert.equal(mayLeave(frame(OUTSIDE, { type: 0x86dd })), false);
  assert.equal(mayLeave(frame(OUTSIDE, { type: 0x8100 })), false);
  for (const length of [4, 17, 30, 40])
    assert.equal(mayLeave(frame(ROUTER, { flags: ACK }).subarray(0, length)), false);
});
