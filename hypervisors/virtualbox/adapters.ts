import type { MachineSpec } from "../hypervisor";
import { ADAPTERS, internalNetwork, UPLINK } from "./names";
import type { VmInfo } from "./parse-output";

/** The network that an adapter is connected to. */
export type Plug =
  | { readonly kind: "nat" }
  | { readonly kind: "intnet" | "hostonly" | "hostonlynet" | "bridged"; readonly network: string };

export interface Adapter {
  /** 1 to 8: the order of the interfaces on the machine's bus. */
  readonly slot: number;
  /** Its segment, or `uplink`. */
  readonly segment: string;
  /** As VirtualBox writes it: `5254000000FF`. */
  readonly mac: string;
  readonly plug: Plug;
}

/** The uplink first, then the segments in planned order. The seed matches interfaces by MAC, not by order. */
export function wantedAdapters(spec: MachineSpec, plugs: ReadonlyMap<string, Plug> = new Map()): readonly Adapter[] {
  const uplink = spec.uplink ? [{ segment: UPLINK, mac: spec.uplink.mac, plug: { kind: "nat" } as const }] : [];
  const cables = spec.nics.map(({ segment, mac }) => ({
    segment,
    mac,
    plug: plugs.get(segment) ?? { kind: "intnet" as const, network: internalNetwork(spec.stack, segment) },
  }));
  return [...uplink, ...cables].map((adapter, position) => ({
    ...adapter,
    slot: position + 1,
    mac: adapter.mac.replaceAll(":", "").toUpperCase(),
  }));
}

/** Slots that the plan does not use. */
export const emptySlots = (adapters: readonly Adapter[]): readonly number[] =>
  Array.from({ length: ADAPTERS }, (_, position) => position + 1).filter(
    (slot) => !adapters.some((adapter) => adapter.slot === slot),
  );

/** The option that sets the network's name and the key that shows it. */
const networkWords: Readonly<Record<string, { readonly option: string; readonly key: string }>> = {
  intnet: { option: "--intnet", key: "intnet" },
  hostonly: { option: "--hostonlyadapter", key: "hostonlyadapter" },
  hostonlynet: { option: "--host-only-net", key: "hostonly-network" },
  bridged: { option: "--bridgeadapter", key: "bridgeadapter" },
};

/** Options of `modifyvm` that connect one adapter. */
export function plugOptions({ slot, plug }: Adapter): readonly string[] {
  if (plug.kind === "nat") return [`--nic${slot}`, "nat"];
  return [`--nic${slot}`, plug.kind, `${networkWords[plug.kind]?.option}${slot}`, plug.network];
}

/** The connection in the format of `showvminfo`: `intnet gp-lab-dmz`. */
export function plugText(plug: Plug): string {
  return plug.kind === "nat" ? "nat" : `${plug.kind} ${plug.network}`;
}

export function shownPlug(info: VmInfo, slot: number): string {
  const kind = info.values.get(`nic${slot}`) ?? "none";
  const words = networkWords[kind];
  return words ? `${kind} ${info.values.get(`${words.key}${slot}`) ?? ""}` : kind;
}

/** `5254000000FF` in the usual notation. */
export const macText = (mac: string): string => mac.toLowerCase().replace(/(..)(?=.)/g, "$1:");
