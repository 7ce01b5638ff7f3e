/** Where frames of a segment come from and go to. */
export interface Port {
  /** @param framed complete frames, each preceded by its length in four bytes */
  send(framed: Buffer): void;
}

const LENGTH = 4;
const HEADER = 14;
/** More addresses than the machines of a segment have. A guest that invents more causes floods but uses no memory. */
const MAX_PLACES = 4096;

/**
 * The switch of one segment: learns the port of each MAC address, and floods frames with an unknown or a group address.
 * Entries never expire: an address that moves is learned again with its first frame, and the addresses of a port are
 * removed when it leaves.
 */
export class LearningSwitch {
  private readonly ports = new Set<Port>();
  private readonly places = new Map<string, Port>();

  join(port: Port): void {
    this.ports.add(port);
  }

  leave(port: Port): void {
    this.ports.delete(port);
    for (const [address, place] of this.places) if (place === port) this.places.delete(address);
  }

  /** @param frames each preceded by its length; neighbours may share a buffer without gaps */
  forward(from: Port, frames: readonly Buffer[]): void {
    let run: { readonly to: Port | undefined; readonly frames: Buffer[] } | undefined;
    for (const frame of frames) {
      if (frame.length < LENGTH + HEADER) continue;
      this.learn(from, frame);
      const to = this.destination(frame);
      if (run && run.to === to) run.frames.push(frame);
      else {
        if (run) this.deliver(from, run.to, run.frames);
        run = { to, frames: [frame] };
      }
    }
    if (run) this.deliver(from, run.to, run.frames);
  }

  private learn(from: Port, frame: Buffer): void {
    // A group address has no port.
    if ((frame[LENGTH + 6] as number) & 1) return;
    const source = frame.toString("latin1", LENGTH + 6, LENGTH + 12);
    if (this.places.get(source) === from) return;
    if (this.places.size >= MAX_PLACES) this.places.clear();
    this.places.set(source, from);
  }

  /** `undefined`: all ports. */
  private destination(frame: Buffer): Port | undefined {
    if ((frame[LENGTH] as number) & 1) return undefined;
    return this.places.get(frame.toString("latin1", LENGTH, LENGTH + 6));
  }

  private deliver(from: Port, to: Port | undefined, frames: readonly Buffer[]): void {
    const framed = frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
    if (to) {
      if (to !== from) to.send(framed);
      return;
    }
    for (const port of this.ports) if (port !== from) port.send(framed);
  }
}
