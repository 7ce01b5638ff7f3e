import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localHost } from "../../host/local-host";
import { socketPath } from "../../hypervisors/qemu/names";
import { ensureNetwork } from "../../hypervisors/qemu/network";
import { switchProcesses } from "../../hypervisors/qemu/processes";
import { guestUplinkSocket, natUplinkSocket, segmentSocket } from "../../hypervisors/qemu/switch/protocol";
import { patienceMs } from "../support/cluster-under-test";
import { makeQemuHost, type QemuHost, qemuSkipReason, qemuTracesOf } from "../support/qemu-host";
import { makeQemuMachine, qemuMachine, qemuOwner, qemuStack, removeQemuStack } from "../support/qemu-stack";

const BROADCAST = "ff:ff:ff:ff:ff:ff";

qemuSkipReason().then((skip) => {
  describe("the switch of a stack on QEMU", { skip }, () => {
    let host: QemuHost;
    const cables: Cable[] = [];
    const plug = async (socket: string): Promise<Cable> => {
      const cable = await Cable.into(socketPath(localHost, qemuStack, socket));
      cables.push(cable);
      return cable;
    };
    before(async () => {
      host = makeQemuHost();
      const uplink = { mac: "52:54:00:c0:00:ff", forwards: [] };
      const driver = await makeQemuMachine(qemuMachine(host.image, { uplink }), false);
      await driver.ensureSegment({ stack: qemuStack, name: "masters" }, qemuOwner);
    });
    afterEach(() => {
      for (const cable of cables.splice(0)) cable.pull();
    });
    after(async () => {
      const { createQemuDriver } = await import("../../hypervisors/qemu/driver");
      await createQemuDriver(localHost).removeSegment({ stack: qemuStack, name: "masters" }, qemuOwner);
      await removeQemuStack(host.image);
      assert.deepEqual(await qemuTracesOf(host.data, [qemuStack]), []);
      host.remove();
    });

    test("frames stay within their segment", async () => {
      const [one, two, other] = [
        await plug(segmentSocket("dmz")),
        await plug(segmentSocket("dmz")),
        await plug(segmentSocket("masters")),
      ];
      one.send(frame(BROADCAST, mac(1), "hello"));
      assert.equal(await two.receive(), "hello");
      two.send(frame(mac(1), mac(2), "answer"));
      assert.equal(await one.receive(), "answer");
      assert.equal(other.waiting, 0);
    });

    test("a repeated configuration does not interrupt traffic", async () => {
      const [one, two] = [await plug(segmentSocket("dmz")), await plug(segmentSocket("dmz"))];
      const before = await switchProcesses(localHost, qemuStack);
      await ensureNetwork(localHost, qemuStack, { hostLoopback: false });
      assert.deepEqual(await switchProcesses(localHost, qemuStack), before);
      one.send(frame(BROADCAST, mac(1), "still"));
      assert.equal(await two.receive(), "still");
    });

    test("a guest cannot open a connection to the host's loopback, unless it is allowed", async () => {
      const connection = ipv4("10.0.2.2");
      const attempt = async (): Promise<string> => {
        const [guest, nat] = [await plug(guestUplinkSocket("machine-1")), await plug(natUplinkSocket("machine-1"))];
        guest.send(connection);
        guest.send(ipv4("93.184.216.34"));
        return nat.receive();
      };
      assert.match(await attempt(), /93\.184\.216\.34/, "the first is dropped, the second passes");
      await ensureNetwork(localHost, qemuStack, { hostLoopback: true });
      assert.match(await attempt(), /10\.0\.2\.2/);
      await ensureNetwork(localHost, qemuStack, { hostLoopback: false });
      assert.match(await attempt(), /93\.184\.216\.34/);
    });

    test("a client with a wrong protocol is disconnected, and a client that does not read delays no other client", async () => {
      const [outsider, one, two, slowReader] = [
        await plug(segmentSocket("dmz")),
        await plug(segmentSocket("dmz")),
        await plug(segmentSocket("dmz")),
        await plug(segmentSocket("dmz")),
      ];
      outsider.socket.write("GET / HTTP/1.1\r\n\r\n");
      await outsider.ended;
      slowReader.socket.pause();
      const flood = frame(BROADCAST, mac(1), "x".repeat(1400));
      // Each batch is smaller than one peer's queue, so only the slow reader's frames are dropped.
      for (let batch = 0; batch < 40; batch++) {
        for (let sent = 0; sent < 500; sent++) one.send(flood);
        for (let seen = 0; seen < 500; seen++) await two.receive();
      }
    });
  });
});

const mac = (digit: number): string => `52:54:00:00:00:0${digit}`;

function frame(to: string, from: string, text: string): Buffer {
  const addresses = [...to.split(":"), ...from.split(":")].map((part) => Number.parseInt(part, 16));
  const content = Buffer.concat([Buffer.from(addresses), Buffer.from([0x88, 0xb5]), Buffer.from(text)]);
  return lengthened(content);
}

/** The first packet of a TCP connection. Its payload names the destination. */
function ipv4(to: string): Buffer {
  const content = Buffer.alloc(14 + 20 + 20);
  content.writeUInt16BE(0x0800, 12);
  content[14] = 0x45;
  content[14 + 9] = 6;
  Buffer.from(to.split(".").map(Number)).copy(content, 14 + 16);
  content[14 + 20 + 13] = 0x02;
  return lengthened(Buffer.concat([content, Buffer.from(to)]));
}

function lengthened(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** A connection to the switch, as QEMU opens it. */
class Cable {
  private readonly frames: string[] = [];
  private rest = Buffer.alloc(0);
  readonly ended: Promise<void>;

  private constructor(readonly socket: Socket) {
    this.ended = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.take(chunk));
  }

  static into(path: string): Promise<Cable> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      // The switch registers the connection shortly after the connect.
      socket.once("connect", () => setTimeout(() => resolve(new Cable(socket)), 50));
    });
  }

  get waiting(): number {
    return this.frames.length;
  }

  send(framed: Buffer): void {
    this.socket.write(framed);
  }

  pull(): void {
    this.socket.destroy();
  }

  /** The next frame's payload, after its addresses and type. */
  async receive(): Promise<string> {
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(5)) {
      const next = this.frames.shift();
      if (next !== undefined) return next;
    }
    throw new Error("no frame came");
  }

  private take(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 4 && this.rest.length >= 4 + this.rest.readUInt32BE(0)) {
      const end = 4 + this.rest.readUInt32BE(0);
      this.frames.push(this.rest.toString("latin1", 4 + 14, end));
      this.rest = this.rest.subarray(end);
    }
  }
}
