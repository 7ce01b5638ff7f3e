import {
  type Addition,
  addition,
  type Lookups,
  type Once,
  once,
  type Read,
  type Repeatable,
  read,
  repeatable,
} from "./command-kinds";

/** Pure builders of the commands on the host's networks. */

export const listBridgedAdapters = (): Read => read("list", "bridgedifs");
export const listHostOnlyInterfaces = (): Read => read("list", "hostonlyifs");
const isListed = async (now: Lookups, list: Read, name: string, field = "Name") =>
  (await now.list(list)).some((fields) => fields.get(field) === name);
/** @param before the names of all interfaces, by which the new one is recognized */
export const createHostOnlyInterface = (before: readonly string[]): Addition =>
  addition(["hostonlyif", "create"], async (now) =>
    (await now.list(listHostOnlyInterfaces())).some((fields) => !before.includes(fields.get("Name") ?? "")),
  );
export const addressHostOnlyInterface = (name: string, ip: string, mask: string): Repeatable =>
  repeatable("hostonlyif", "ipconfig", name, "--ip", ip, "--netmask", mask);
export const removeHostOnlyInterface = (name: string): Once =>
  once(["hostonlyif", "remove", name], async (now) => !(await isListed(now, listHostOnlyInterfaces(), name)));
export const listDhcpServers = (): Read => read("list", "dhcpservers");
export const removeDhcpServer = (name: string): Once =>
  once(
    ["dhcpserver", "remove", `--interface=${name}`],
    async (now) => !(await isListed(now, listDhcpServers(), `HostInterfaceNetworking-${name}`, "NetworkName")),
  );
/** macOS has host-only networks instead of interfaces. */
export const listHostOnlyNetworks = (): Read => read("list", "hostonlynets");
export const addHostOnlyNetwork = (name: string, mask: string, first: string, last: string): Once =>
  once(
    [...["hostonlynet", "add", "--name", name, "--netmask", mask, "--lower-ip", first, "--upper-ip", last], "--enable"],
    (now) => isListed(now, listHostOnlyNetworks(), name),
  );
export const removeHostOnlyNetwork = (name: string): Once =>
  once(["hostonlynet", "remove", "--name", name], async (now) => !(await isListed(now, listHostOnlyNetworks(), name)));
