import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { renderNodeSeed } from "../../cloud-init/render-node-seed";
import { secretValue } from "../../components/secrets";
import { type GuestAddress, runInGuest } from "../../guests/guest-ssh";
import type { MachineSpec, SeedFiles } from "../../hypervisors/hypervisor";
import { imageFor } from "../../image/recipes/image-names";
import { deriveHostKey } from "../../model/derive-host-key";
import type { DistributionName } from "../../model/distributions";
import { makeClusterKeys } from "../../provider/resources/cluster-keys";
import { fillSecrets } from "../../provider/resources/fill-secrets";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { exampleConfiguration } from "./example-stacks";
import { qemuSkipReason } from "./qemu-host";

/** The sealed disk image of gateways, balancers and storage nodes. */
export const guestImage = (distribution?: DistributionName): string =>
  imageFor("infrastructure", exampleConfiguration("lab").kubernetesVersion, "disk", distribution);

/** Adds a sealed image of the user's image store to the test's own store. */
export function borrowImage(images: string, name: string): void {
  const folder = path.join(process.env.GROUNDPLANE_DATA as string, "images");
  fs.mkdirSync(folder, { recursive: true });
  fs.symlinkSync(path.join(images, name), path.join(folder, name));
}

/** With emulation, three concurrent guests need minutes, and many minutes on a busy host. */
export const GUEST_BOOT_MS = 20 * 60_000;

/** Why no real guest can be started here. `false` = one can. */
export async function guestSkipReason(): Promise<string | false> {
  const reason = await qemuSkipReason();
  if (reason || process.getuid?.() === 0) return reason;
  return "the image of these guests is built as root";
}

/** The plan of the lab under another name, with its own ports and small disks. */
export function guestPlan(
  stack: string,
  ports: { readonly api: number; readonly ssh: number },
  distribution: DistributionName = "debian",
): DataCenterPlan {
  const { pools, ...rest } = exampleConfiguration("lab");
  const small = <P extends object>(pool: P) => ({ ...pool, cpus: 1, memoryMiB: 512, diskGiB: 5 });
  const smaller = {
    ...pools,
    gateway: small(pools.gateway),
    balancers: small(pools.balancers),
    storage: small(pools.storage),
  };
  // As doctor advises for emulated processors.
  const options = { ...rest.options, failover: "calm" as const };
  return planDataCenter({
    ...rest,
    distribution,
    pools: smaller,
    options,
    name: stack,
    hostPorts: { ...ports, nodePorts: [], services: [] },
  });
}

/** The secrets of a stack, and the secrets that a node gets. */
export class GuestKeys {
  private constructor(private readonly keys: Readonly<Record<string, string>>) {}

  static async make(): Promise<GuestKeys> {
    return new GuestKeys(await makeClusterKeys());
  }

  hostKey(node: string) {
    return deriveHostKey(this.keys["ssh-host-seed"] as string, node);
  }

  get userKey(): string {
    return this.keys["ssh-user-key.pub"] as string;
  }

  of(node: string): Readonly<Record<string, string>> {
    const names = [
      ...["api-clients.crt", "authorized-keys.pub", "encryption-configuration", "kubernetes-ca-bundle.crt"],
      `ssh-host-key:${node}`,
    ];
    return { ...this.keys, ...Object.fromEntries(names.map((name) => [name, secretValue(this.keys, name)])) };
  }

  address(plan: DataCenterPlan, node: NodePlan): GuestAddress {
    return {
      bastionPort: plan.hostPorts.ssh,
      bastionHostKey: this.hostKey("gateway").publicKey,
      address: node.address,
      hostKey: this.hostKey(node.name).publicKey,
      privateKey: this.keys["ssh-user-key"] as string,
    };
  }
}

export function planned(plan: DataCenterPlan, name: string): NodePlan {
  const node = plan.nodes.find((each) => each.name === name);
  if (!node) throw new Error(`the plan has no ${name}`);
  return node;
}

/** The planned machine, but from the smaller image and only as large as emulation needs. */
export function guestMachine(plan: DataCenterPlan, node: NodePlan): MachineSpec {
  const uplink = {
    mac: plan.uplink.mac,
    forwards: [{ hostPort: plan.hostPorts.ssh, guestPort: 22 }],
  };
  return {
    ...{ stack: plan.stack, name: node.name, uuid: node.uuid, image: guestImage() },
    ...{ cpus: 1, memoryMiB: 512, diskGiB: 5 },
    nics: node.interfaces.map(({ name, segment, mac }) => ({ name, segment, mac })),
    ...(node.roles.includes("gateway") ? { uplink } : {}),
    disks: node.dataDisks.map(({ name, mountPoint }) => ({ disk: name, mountPoint })),
  };
}

/** The seed that the product renders for this node. */
export const renderedSeed = (plan: DataCenterPlan, node: NodePlan, keys: GuestKeys): SeedFiles =>
  fillSecrets(renderNodeSeed(plan, node), keys.of(node.name));

/** A node without a role, with only a name server and a DHCP lease. */
export function bareSeed(plan: DataCenterPlan, node: NodePlan, keys: GuestKeys): SeedFiles {
  const [main] = node.interfaces;
  if (!main) throw new Error(`${node.name} has no interface`);
  const { metaData, userData } = renderNodeSeed(plan, node);
  const files: readonly { path: string }[] = parse(userData).write_files;
  const written = [
    { path: "/etc/ssh/ssh_host_ed25519_key", permissions: "0600", content: keys.hostKey(node.name).privateKey },
    { path: "/root/.ssh/authorized_keys", permissions: "0600", content: `${keys.userKey}\n` },
    ...files.filter(({ path }) => path === "/etc/resolv.conf"),
  ];
  const config = { disable_root: false, ssh_deletekeys: false, users: [], write_files: written };
  const link = { match: { macaddress: main.mac }, "set-name": main.name, dhcp4: true };
  return {
    ...{ userData: `#cloud-config\n${JSON.stringify(config)}\n`, metaData },
    networkConfig: `${JSON.stringify({ version: 2, ethernets: { [main.name]: link } })}\n`,
  };
}

/** The output of a script in a guest. Waits until the guest responds, and fails if the script fails. */
export async function mustRunInGuest(guest: GuestAddress, script: string): Promise<string> {
  const result = await runInGuest(guest, script, { deadlineMs: GUEST_BOOT_MS, timeoutMs: GUEST_BOOT_MS });
  assert.equal(result.code, 0, `${script}\n${result.stdout}\n${result.stderr}`);
  return result.stdout.trimEnd();
}
