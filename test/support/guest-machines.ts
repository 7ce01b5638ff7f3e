import type { MachineSpec, SeedFiles } from "../../hypervisors/hypervisor";

/** Two segments with one machine each, and a gateway with an uplink between them. */
export const guestNames = ["gateway", "master-1", "worker-1"] as const;
export const guestSegments = ["masters", "workers"] as const;
export const uplinkMac = "52:54:00:c1:00:ff";

const cables: Readonly<Record<string, readonly { segment: string; mac: string; address: string }[]>> = {
  gateway: [
    { segment: "masters", mac: "52:54:00:c1:00:01", address: "192.168.57.1" },
    { segment: "workers", mac: "52:54:00:c1:00:02", address: "192.168.58.1" },
  ],
  "master-1": [{ segment: "masters", mac: "52:54:00:c1:00:11", address: "192.168.57.11" }],
  "worker-1": [{ segment: "workers", mac: "52:54:00:c1:00:21", address: "192.168.58.11" }],
};

/** @param hostPort is forwarded to the gateway's SSH server */
export function guestSpec(stack: string, name: string, image: string, hostPort: number): MachineSpec {
  return {
    stack,
    name,
    uuid: `6f1d3c1e-0000-5000-8000-0000000000${Object.keys(cables).indexOf(name)}a`,
    image,
    ...(name === "gateway" ? {} : { roles: [name.startsWith("master") ? "master" : "worker"] as const }),
    cpus: 1,
    memoryMiB: 512,
    diskGiB: 4,
    nics: (cables[name] ?? []).map(({ segment, mac }) => ({ segment, name: segment, mac })),
    ...(name === "gateway" ? { uplink: { mac: uplinkMac, forwards: [{ hostPort, guestPort: 22 }] } } : {}),
    disks: [],
  };
}

export function guestSeed(name: string): SeedFiles {
  const ethernets = (cables[name] ?? []).map(({ segment, mac, address }) => ({ name: segment, mac, address }));
  if (name === "gateway") ethernets.push({ name: "uplink", mac: uplinkMac, address: "10.0.2.15" });
  const entries = ethernets.map((e) => [
    e.name,
    {
      match: { macaddress: e.mac },
      "set-name": e.name,
      addresses: [`${e.address}/24`],
      ...(e.name === "uplink" ? { routes: [{ to: "0.0.0.0/0", via: "10.0.2.2" }] } : {}),
    },
  ]);
  return {
    userData: "#cloud-config\nssh_genkeytypes: [ed25519]\n",
    metaData: `instance-id: ${name}\nlocal-hostname: ${name}\n`,
    networkConfig: `${JSON.stringify({ version: 2, ethernets: Object.fromEntries(entries) })}\n`,
  };
}
