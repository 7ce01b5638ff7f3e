import type { MachineBox, SegmentBox } from "./state";

/** What the layout places. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Card extends Box {
  readonly machine: MachineBox;
  /** Many machines of one kind are small tiles. */
  readonly isTile: boolean;
}

export interface Band extends Box {
  readonly segment: SegmentBox;
  readonly cards: readonly Card[];
}
