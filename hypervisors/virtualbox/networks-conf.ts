import type { HostProblem } from "../hypervisor";

/**
 * The addresses that VirtualBox permits for host-only networks on Linux and macOS: /etc/vbox/networks.conf. Only an
 * administrator writes the file; groundplane reads it and reports what is missing.
 */

export const NETWORKS_CONF = "/etc/vbox/networks.conf";

/** VirtualBox's default if the file does not exist. */
const DEFAULT_RANGES = ["192.168.56.0/21"];

export interface AllowedRanges {
  /** IPv4 in CIDR notation. */
  readonly ranges: readonly string[];
  /** Numbers of invalid lines, from 1. If there is one, VirtualBox permits no range at all. */
  readonly wrongLines: readonly number[];
}

/**
 * @param text the file's text; `undefined` if the file does not exist. A file without a range, even an empty one,
 * permits nothing.
 */
export function parseNetworksConf(text: string | undefined): AllowedRanges {
  if (text === undefined) return { ranges: DEFAULT_RANGES, wrongLines: [] };
  const ranges: string[] = [];
  const wrongLines: number[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    // A star, a space and ranges. A comment at the end of the line is an error.
    const words = /^\s*\*\s+(\S.*)$/.exec(line)?.[1]?.trim().split(/\s+/);
    if (words?.every((word) => isRange(word) || isIpv6Range(word))) ranges.push(...words.filter(isRange));
    else wrongLines.push(index + 1);
  }
  return { ranges, wrongLines };
}

/** Whether a host-only network may have this range. */
export function isAllowed({ ranges, wrongLines }: AllowedRanges, cidr: string): boolean {
  if (wrongLines.length > 0) return false;
  const wanted = bounds(cidr);
  return ranges.map(bounds).some(({ first, last }) => first <= wanted.first && wanted.last <= last);
}

/** Why a host-only network cannot have this range, and the line that permits it; `undefined` if it can. */
export function rangeProblem(text: string | undefined, cidr: string): HostProblem | undefined {
  const allowed = parseNetworksConf(text);
  if (isAllowed(allowed, cidr)) return undefined;
  const line = `a line \`* ${cidr}\`, without a comment behind it`;
  if (allowed.wrongLines.length > 0) {
    const problem = `VirtualBox does not understand line ${allowed.wrongLines.join(", ")} of ${NETWORKS_CONF}, and then allows nothing`;
    return {
      id: "networks-conf",
      problem,
      hint: `write each range as \`* 192.168.56.0/21\`; this stack needs ${line}`,
    };
  }
  const ranges = allowed.ranges.join(", ") || "no range at all";
  const default56 =
    text === undefined
      ? `; once the file is there, what it does not list is forbidden: list ${DEFAULT_RANGES.join()} too`
      : "";
  const problem = `VirtualBox allows host-only networks in ${ranges}, which does not hold ${cidr}`;
  return { id: "networks-conf", problem, hint: `add ${line}, to ${NETWORKS_CONF} as root${default56}` };
}

const isRange = (word: string): boolean => {
  const [, address = "", prefix = ""] = /^((?:\d{1,3}\.){3}\d{1,3})\/(\d{1,2})$/.exec(word) ?? [];
  return address !== "" && Number(prefix) <= 32 && address.split(".").every((part) => Number(part) <= 255);
};

const isIpv6Range = (word: string): boolean => /^[0-9a-f:]*:[0-9a-f:]*\/\d{1,3}$/i.test(word);

function bounds(cidr: string): { readonly first: number; readonly last: number } {
  const [address = "", prefix = ""] = cidr.split("/");
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1 };
}
