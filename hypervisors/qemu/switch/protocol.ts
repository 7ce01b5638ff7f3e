/** What the driver and a stack's switch agree on. */

/** Names of a switch's sockets, in the stack's folder. Neither segments nor machines have a dot in their names. */
export const CONTROL_SOCKET = "control";
export const segmentSocket = (segment: string): string => `segment.${segment}`;
/** Where the network card of a machine's way out is plugged in, and where the NAT behind it is. */
export const guestUplinkSocket = (machine: string): string => `uplink.${machine}`;
export const natUplinkSocket = (machine: string): string => `nat.${machine}`;

/** Everything a stack's switch is to serve; whatever else it served before ends. */
export interface Wiring {
  readonly segments: readonly string[];
  readonly uplinks: readonly UplinkWiring[];
}

export interface UplinkWiring {
  readonly machine: string;
  /** The guest may reach the host's 127.0.0.1 by the address of its router. */
  readonly hostLoopback: boolean;
}
