/** The protocol between the driver and a stack's switch. */

/** Names of a switch's sockets, in the stack's folder. Names of segments and machines contain no dot. */
export const CONTROL_SOCKET = "control";
export const segmentSocket = (segment: string): string => `segment.${segment}`;
/** Sockets for the network card of a machine's uplink, and for the NAT behind it. */
export const guestUplinkSocket = (machine: string): string => `uplink.${machine}`;
export const natUplinkSocket = (machine: string): string => `nat.${machine}`;

/** Everything that a stack's switch serves. It ends whatever else it served before. */
export interface Wiring {
  readonly segments: readonly string[];
  readonly uplinks: readonly UplinkWiring[];
  /** Files of the machines' consoles, which it empties when they become too large. */
  readonly consoles: readonly string[];
}

export interface UplinkWiring {
  readonly machine: string;
  /** The guest may reach the host's 127.0.0.1 through the address of its router. */
  readonly hostLoopback: boolean;
  /** Ranges that are open although they belong to the host or its networks. */
  readonly reachable: readonly string[];
}
