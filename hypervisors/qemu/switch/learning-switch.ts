/** Where frames of a segment come from and go to. */
export interface Port {
  /** @param framed whole frames, each with its length in four bytes before it */
  send(framed: Buffer): void;
}

const LENGTH = 4;
const HEADER = 14;
/** More addresses than machines of a segment have; a guest that makes up more costs a flood, not memory. */
const MAX_PLACES = 4096;

/**
 * The switch of one segment: learns behind which port a MAC address is, and sends what has an unknown or a group
 * address to all others. Knows no time: an address that moves is learnt anew with its first frame, and those of a port
 * that leaves are forgotten.
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

  /** @param frames each with its length before it, as they came, without gaps in one buffer where they are neighbours */
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
    // A group address is nobody's.
    if ((frame[LENGTH + 6] as number) & 1) return;
    const source = frame.toString("latin1", LENGTH + 6, LENGTH + 12);
    if (this.places.get(source) === from) return;
    if (this.places.size >= MAX_PLACES) this.places.clear();
    this.places.set(source, from);
  }

  /** `undefined` = everybody. */
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
