import type { PortForward } from "../hypervisor";
import type { NatForward, VmInfo } from "./parse-output";

/** Changes of the port-forwards of one adapter: rules by name, and forwards. */
export interface ForwardChanges {
  readonly slot: number;
  readonly remove: readonly string[];
  readonly add: readonly PortForward[];
}

const forwardName = ({ hostPort }: PortForward): string => `port-${hostPort}`;
/** Listens only on the host's loopback. The guest's address is the one that user-mode NAT assigns. */
export const forwardRule = (forward: PortForward): string =>
  `${forwardName(forward)},tcp,127.0.0.1,${forward.hostPort},,${forward.guestPort}`;

export const isForward = (rule: NatForward, { hostPort, guestPort }: PortForward): boolean =>
  rule.protocol === "tcp" &&
  rule.hostIp === "127.0.0.1" &&
  rule.hostPort === hostPort &&
  rule.guestPort === guestPort &&
  rule.guestIp === "";

/** Whether the machine's forwards are as after the changes. A rule may be replaced by one of the same name. */
export function areForwardsChanged(info: VmInfo, { slot, remove, add }: ForwardChanges): boolean {
  const rules = info.forwards.get(slot) ?? [];
  const isAdded = (rule: NatForward) => add.some((forward) => isForward(rule, forward));
  const left = rules.filter((rule) => remove.includes(rule.name) && !isAdded(rule));
  return left.length === 0 && add.every((forward) => rules.some((rule) => isForward(rule, forward)));
}
