/** Names of a switch's sockets, in the stack's folder. Neither segments nor machines have a dot in their names. */
export const CONTROL_SOCKET = "control";
export const segmentSocket = (segment: string): string => `segment.${segment}`;
/** Where the network card of a machine's way out is plugged in, and where the NAT behind it is. */
export const guestUplinkSocket = (machine: string): string => `uplink.${machine}`;
export const natUplinkSocket = (machine: string): string => `nat.${machine}`;
