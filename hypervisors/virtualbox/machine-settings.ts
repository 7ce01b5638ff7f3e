import type { MachineSpec } from "../hypervisor";
import { type Adapter, emptySlots, plugOptions, plugText, shownPlug } from "./adapters";
import type { VmInfo } from "./parse-output";

/** One setting of a machine: how to set it with `modifyvm`, and how to read it back. */
export interface Setting {
  /** The name in messages: `memory`, `adapter 2`. */
  readonly name: string;
  readonly options: readonly string[];
  readonly wanted: string;
  /** `undefined` if this version of VirtualBox does not show it. */
  shown(info: VmInfo): string | undefined;
  /** It can be changed while the machine runs, by another command than `modifyvm`. */
  readonly live?: boolean;
}

/** A setting that `showvminfo` shows under its own key. */
function setting(name: string, options: readonly string[], key: string, wanted: string): Setting {
  return { name, options, wanted, shown: ({ values }) => values.get(key)?.toLowerCase() };
}

/** Every version shows the setting, but only while its adapter or port exists. */
const ABSENT = "nothing";
const whilePlugged = (one: Setting): Setting => ({ ...one, shown: (info) => one.shown(info) ?? ABSENT });

const word = (option: string, value: string, key = option, shown = value): Setting =>
  setting(key, [`--${option}`, value], key, shown);

/** Settings of every machine: a small server without a screen, sound or USB that boots from its first disk. */
const common: readonly Setting[] = [
  word("chipset", "piix3"),
  word("firmware", "bios"),
  word("ioapic", "on"),
  word("graphicscontroller", "vmsvga"),
  word("vram", "16"),
  word("rtcuseutc", "on"),
  word("paravirtprovider", "kvm"),
  word("nested-hw-virt", "off"),
  word("usb-ohci", "off", "usb"),
  word("usb-ehci", "off", "ehci"),
  word("usb-xhci", "off", "xhci"),
  word("boot1", "disk"),
  word("boot2", "none"),
  word("boot3", "none"),
  word("boot4", "none"),
  word("biosbootmenu", "disabled", "bootmenu"),
  word("clipboard", "disabled"),
  word("draganddrop", "disabled"),
  word("vrde", "off"),
  word("autostart-enabled", "off"),
  word("defaultfrontend", "headless"),
];

/** VirtualBox accepts these options but does not show them, so they are set once, at creation. */
export const unreadableOptions: readonly string[] = [
  ...["--audio-enabled", "off", "--mouse", "ps2", "--keyboard", "ps2"],
  ...["--bioslogodisplaytime", "0", "--bioslogofadein", "off", "--bioslogofadeout", "off"],
];

/** All settings of one machine that `modifyvm` sets and `showvminfo` shows. */
export function wantedSettings(
  spec: MachineSpec,
  adapters: readonly Adapter[],
  consoleLog: string,
): readonly Setting[] {
  return [
    word("memory", String(spec.memoryMiB)),
    word("cpus", String(spec.cpus)),
    ...common,
    setting("serial port", ["--uart1", "0x3F8", "4"], "uart1", "0x03f8,4"),
    {
      name: "console log",
      options: ["--uartmode1", "file", consoleLog],
      wanted: `file,${consoleLog}`,
      shown: ({ values }) => values.get("uartmode1") ?? ABSENT,
    },
    ...adapters.flatMap(adapterSettings),
    ...emptySlots(adapters).map((slot) => setting(`adapter ${slot}`, [`--nic${slot}`, "none"], `nic${slot}`, "none")),
  ];
}

function adapterSettings(adapter: Adapter): readonly Setting[] {
  const { slot, segment, mac, plug } = adapter;
  const name = `adapter ${slot} (${segment})`;
  return [
    { name, options: plugOptions(adapter), wanted: plugText(plug), shown: (info) => shownPlug(info, slot) },
    // A guest in promiscuous mode receives only its own frames.
    ...(plug.kind === "nat" ? [] : [promiscuous(name, slot)]),
    whilePlugged(setting(`${name}: type`, [`--nictype${slot}`, "virtio"], `nictype${slot}`, "virtio")),
    {
      name: `${name}: MAC`,
      options: [`--macaddress${slot}`, mac],
      wanted: mac,
      shown: ({ values }) => values.get(`macaddress${slot}`) ?? ABSENT,
    },
    {
      ...whilePlugged(setting(`${name}: cable`, [`--cableconnected${slot}`, "on"], `cableconnected${slot}`, "on")),
      live: true,
    },
  ];
}

const promiscuous = (name: string, slot: number): Setting => ({
  name: `${name}: promiscuous mode`,
  options: [`--nicpromisc${slot}`, "deny"],
  wanted: "deny",
  shown: () => undefined,
});

/** The settings that differ from the wanted ones. */
export function differingSettings(settings: readonly Setting[], info: VmInfo): readonly Setting[] {
  return settings.filter(({ shown, wanted }) => {
    const found = shown(info);
    return found !== undefined && found !== wanted;
  });
}

/** The text in messages: `adapter 2 (dmz) is intnet other instead of intnet gp-lab-dmz`. */
export const describeDifference = ({ name, wanted, shown }: Setting, info: VmInfo): string =>
  `${name} is ${shown(info)} instead of ${wanted}`;
