import * as path from "node:path";
import { utils } from "ssh2";
import { readFileAndMode, readIfPresent, writeFileAtomic } from "../host/file-store";
import { localHost } from "../host/local-host";
import { leasesFile } from "../hypervisors/fake/fake-disks";
import { fakeStacks, machineFolder, machineNames, readMachine } from "../hypervisors/fake/fake-store";
import type { MachineName } from "../hypervisors/hypervisor";
import { guestPaths } from "../model/guest-paths";
import { ports } from "../model/ports";
import type { GuestConnection } from "../model/resource-types";
import { runInFakeGuest } from "./fake-cluster";
import type { ConnectGuest, Guest, GuestFile } from "./guest";
import { type RunOptions, type RunResult, UnreachableError, untilReachable } from "./guest-ssh";

/** The guests of the fake driver: their disk is a folder, and their commands are simulated. */

export const isFakeGuest = async (connection: GuestConnection): Promise<boolean> =>
  (await gatewayAt(connection.bastionPort)) !== undefined;

export const connectFakeGuest: ConnectGuest = (connection, options = {}) =>
  untilReachable(async () => {
    const machine = await machineAt(connection);
    await assertReachable(connection, machine);
    return new FakeGuest(machine, () => assertReachable(connection, machine));
  }, options);

class FakeGuest implements Guest {
  constructor(
    private readonly machine: MachineName,
    private readonly assertReachable: () => Promise<void>,
  ) {}

  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    await this.assertReachable();
    const result = await runInFakeGuest(this.machine, argv, options);
    if (options.output) {
      options.output.end(Buffer.from(result.stdout, "latin1"));
      return { ...result, stdout: "" };
    }
    for (const line of result.stdout.split("\n").filter(Boolean)) options.onLine?.(line);
    return result;
  }

  async readFiles(paths: readonly string[]): Promise<readonly (GuestFile | undefined)[]> {
    await this.assertReachable();
    return Promise.all(
      paths.map(async (path) => {
        const found = await readFileAndMode(this.onDisk(path));
        return found && { path, ...found };
      }),
    );
  }

  async writeFiles(files: readonly GuestFile[]): Promise<void> {
    await this.assertReachable();
    for (const { path: file, mode, content } of files) {
      await writeFileAtomic(this.onDisk(file), content, Number.parseInt(mode, 8));
    }
  }

  private onDisk(file: string): string {
    if (file === guestPaths.dhcpLeases) return path.join(machineFolder(localHost, this.machine), leasesFile);
    return path.join(machineFolder(localHost, this.machine), "root", path.normalize(file));
  }
}

/** The machine whose uplink forwards this host port to SSH. */
const gatewayAt = (port: number): Promise<MachineName | undefined> =>
  find(
    `port ${port}`,
    async () => (await Promise.all((await fakeStacks(localHost)).map(machinesOf))).flat(),
    async (machine) => {
      const forwards = (await readMachine(localHost, machine))?.made?.spec.uplink?.forwards ?? [];
      return forwards.some(({ hostPort, guestPort }) => hostPort === port && guestPort === ports.ssh);
    },
  );

/** Only the seeds contain addresses, as in a real guest. */
async function machineAt({ bastionPort, bastionHostKey, hostKey, address }: GuestConnection): Promise<MachineName> {
  const gateway = await gatewayAt(bastionPort);
  if (!gateway) throw new UnreachableError(`127.0.0.1:${bastionPort}: connection refused`);
  if (hostKey === bastionHostKey) return gateway;
  const { stack } = gateway;
  const found = await find(
    `${stack} ${address}`,
    () => machinesOf(stack),
    async (machine) => {
      const network = await readIfPresent(path.join(machineFolder(localHost, machine), "seed", "network-config"));
      return network?.includes(`${address}/`) === true;
    },
  );
  if (!found) throw new UnreachableError(`${address}: no route to host`);
  return found;
}

const machinesOf = async (stack: string): Promise<readonly MachineName[]> =>
  (await machineNames(localHost, stack)).map((name) => ({ stack, name }));

/** The machine that was found last is asked first: a search reads files of all machines, and each connection is one. */
const lastFound = new Map<string, MachineName>();

async function find(
  what: string,
  machines: () => Promise<readonly MachineName[]>,
  isWanted: (machine: MachineName) => Promise<boolean>,
): Promise<MachineName | undefined> {
  const last = lastFound.get(what);
  if (last && (await isWanted(last))) return last;
  for (const machine of await machines()) {
    if (!(await isWanted(machine))) continue;
    lastFound.set(what, machine);
    return machine;
  }
  return undefined;
}

async function assertReachable(connection: GuestConnection, machine: MachineName): Promise<void> {
  const gateway = await gatewayAt(connection.bastionPort);
  for (const hop of [gateway, machine]) {
    const record = hop && (await readMachine(localHost, hop));
    if (hop === undefined || record?.power !== "running" || record.pulledLinks.length > 0) {
      throw new UnreachableError(`${hop?.name ?? "the gateway"}: no response`);
    }
    const present = await hostKeyOf(hop);
    if (present === undefined || acceptedBy(connection, hop === machine).includes(present)) continue;
    throw new UnreachableError(`${hop.name}: its host key is another one`);
  }
}

const acceptedBy = (connection: GuestConnection, isNode: boolean): readonly string[] => {
  const { bastionHostKey, formerBastionHostKeys = [], hostKey, formerHostKeys = [] } = connection;
  return isNode ? [hostKey, ...formerHostKeys] : [bastionHostKey, ...formerBastionHostKeys];
};

/** What a rotation has written; `undefined`: the machine has the key of its seed. */
async function hostKeyOf(machine: MachineName): Promise<string | undefined> {
  const text = await readIfPresent(path.join(machineFolder(localHost, machine), "root", guestPaths.sshHostKey));
  const key = text === undefined ? undefined : utils.parseKey(text);
  return key === undefined || key instanceof Error ? undefined : `${key.type} ${key.getPublicSSH().toString("base64")}`;
}
