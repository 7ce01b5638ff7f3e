import * as path from "node:path";
import { type FramePeer, type FrameServer, listenForFrames } from "../../../host/frame-server";
import { LearningSwitch } from "./learning-switch";
import { guestUplinkSocket, natUplinkSocket, segmentSocket, type UplinkWiring, type Wiring } from "./protocol";
import { mayLeave } from "./uplink-filter";

/** The sockets of a stack's segments and uplinks, in one folder. */
export class Wires {
  private readonly served = new Map<string, readonly FrameServer[]>();

  /** @param ownAddresses of the host, at any time */
  constructor(
    private readonly folder: string,
    private readonly ownAddresses: () => readonly string[],
  ) {}

  /** Keeps unchanged sockets open, so that their connections are not interrupted. */
  async become({ segments, uplinks }: Wiring): Promise<void> {
    const wanted = new Map<string, () => Promise<readonly FrameServer[]>>();
    for (const segment of segments) wanted.set(`segment ${segment}`, () => this.serveSegment(segment));
    for (const uplink of uplinks) wanted.set(`uplink ${JSON.stringify(uplink)}`, () => this.serveUplink(uplink));
    for (const [name, servers] of this.served) {
      if (wanted.has(name)) continue;
      this.served.delete(name);
      for (const server of servers) await server.close();
    }
    for (const [name, serve] of wanted) if (!this.served.has(name)) this.served.set(name, await serve());
  }

  private async serveSegment(segment: string): Promise<readonly FrameServer[]> {
    const hub = new LearningSwitch();
    const server = await listenForFrames(path.join(this.folder, segmentSocket(segment)), {
      joined: (peer) => hub.join(peer),
      left: (peer) => hub.leave(peer),
      frames: (peer, frames) => hub.forward(peer, frames),
    });
    return [server];
  }

  /** Two sockets, one for the guest's card and one for the NAT, with the filter between them. */
  private async serveUplink({ machine, hostLoopback, reachable }: UplinkWiring): Promise<readonly FrameServer[]> {
    const guests = new Set<FramePeer>();
    const nats = new Set<FramePeer>();
    const rules = { own: this.ownAddresses(), reachable };
    const allowed = (frames: readonly Buffer[]) =>
      hostLoopback ? frames : frames.filter((frame) => mayLeave(frame, rules));
    const side = (socket: string, own: Set<FramePeer>, others: Set<FramePeer>, fromGuest: boolean) =>
      listenForFrames(path.join(this.folder, socket), {
        joined: (peer) => own.add(peer),
        left: (peer) => own.delete(peer),
        frames: (_peer, frames) => {
          const passed = fromGuest ? allowed(frames) : frames;
          if (passed.length === 0) return;
          const framed = Buffer.concat(passed);
          for (const other of others) other.send(framed);
        },
      });
    return [
      await side(guestUplinkSocket(machine), guests, nats, true),
      await side(natUplinkSocket(machine), nats, guests, false),
    ];
  }
}
