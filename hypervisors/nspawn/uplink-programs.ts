import { closedRanges } from "../../model/flows";
import type { BorderProgram } from "./border-programs";
import {
  and,
  assemble,
  copy,
  goto,
  type Instruction,
  jumpIfEqual,
  load,
  shiftRight,
  toNumber,
  verdicts,
} from "./bpf-program";

/**
 * Where the uplink's process may connect to: the kernel asks these programs for every connection and datagram. slirp4netns
 * itself can close only the loopback of the host. Pure.
 */
const TYPE = 18;
const HOOK = { connect4: 10, connect6: 11, send4: 14, send6: 15 } as const;
const PLACE = { address: 4, port: 24 } as const;
/** 53 in the order of the network. */
const DNS_PORT = 0x3500;

/**
 * @param own addresses of the host
 * @param reachable ranges that are open although they are closed to others
 */
export function uplinkPrograms(own: readonly string[], reachable: readonly string[]): readonly BorderProgram[] {
  // The host's name servers are often in its LAN or on its loopback; they change while the host moves between networks.
  const names: readonly Instruction[] = [
    load("u32", 4, 1, PLACE.port),
    and(4, 0xffff),
    jumpIfEqual(4, DNS_PORT, "allow"),
  ];
  const ranges = (list: readonly string[], verdict: string) => list.flatMap((range) => jumpIfIn(range, verdict));
  const version4 = assemble([
    load("u32", 2, 1, PLACE.address),
    toNumber(2),
    ...names,
    ...ranges(reachable, "allow"),
    ...ranges([...closedRanges, ...own], "deny"),
    goto("allow"),
    ...verdicts,
  ]);
  const version6 = assemble([...names, ...verdicts]);
  return [
    { name: "connect 4", type: TYPE, hook: HOOK.connect4, code: version4 },
    { name: "send 4", type: TYPE, hook: HOOK.send4, code: version4 },
    { name: "connect 6", type: TYPE, hook: HOOK.connect6, code: version6 },
    { name: "send 6", type: TYPE, hook: HOOK.send6, code: version6 },
  ];
}

function jumpIfIn(range: string, verdict: string): readonly Instruction[] {
  const [address = "", prefix = "32"] = range.split("/");
  const shift = 32 - Number(prefix);
  const network = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return [copy(3, 2), shiftRight(3, shift), jumpIfEqual(3, Math.floor(network / 2 ** shift), verdict)];
}
