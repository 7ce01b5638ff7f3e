import * as z from "zod";
import { isAligned, parseAddress, parseCidr } from "./ipv4";
import { defaultKubernetesVersion, supportedKubernetesVersions } from "./kubernetes-versions";

/** The shape of what users write, with every default. What needs two values at once is in `rules.ts`. */

const wholeNumber = (least: number, most: number) => z.int().min(least).max(most);

const addressSchema = z.string().refine((text) => parseAddress(text) !== undefined, {
  error: "must be an IPv4 address",
  params: { fix: "write four numbers from 0 to 255, e.g. 192.168.56.10" },
});

const cidrSchema = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, {
    error: "must be an IPv4 range",
    params: { fix: "write the first address and a prefix length, e.g. 192.168.56.0/21" },
    abort: true,
  })
  .refine((text) => isAlignedText(text), {
    error: "must start on its own boundary",
    params: { fix: "clear the bits behind the prefix length", suggestAligned: true },
  });

function isAlignedText(text: string): boolean {
  const range = parseCidr(text);
  return range !== undefined && isAligned(range);
}

const diskSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/, {
        error: "must be lower-case letters, digits and dashes, at most 20, starting with a letter",
      })
      .describe("Name within the machine, e.g. `brick`; mounted at /data/<name>."),
    sizeGiB: wholeNumber(1, 65_536).describe("Size in GiB."),
  })
  .describe("A data disk; kept when its machine is replaced.");

interface PoolDefaults {
  readonly count: number;
  readonly most: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
}

/** Memory is what the role needs with room to breathe; all defaults together fit a 16 GiB host. */
const poolSchema = (text: string, least: number, defaults: PoolDefaults) =>
  z
    .strictObject({
      count: wholeNumber(least, defaults.most).default(defaults.count).describe("How many machines."),
      cpus: wholeNumber(1, 64).default(defaults.cpus).describe("Virtual processors of each machine."),
      memoryMiB: wholeNumber(256, 1_048_576).default(defaults.memoryMiB).describe("Memory of each machine in MiB."),
      diskGiB: wholeNumber(4, 65_536).default(defaults.diskGiB).describe("System disk of each machine in GiB."),
      disks: z.array(diskSchema).default([]).describe("Data disks of each machine."),
    })
    .prefault({})
    .describe(text);

const poolsSchema = z
  .strictObject({
    gateway: poolSchema("Routes, filters, DNS, DHCP, and the way in by SSH; always one.", 1, {
      count: 1,
      most: 1,
      cpus: 1,
      memoryMiB: 512,
      diskGiB: 10,
    }),
    balancers: poolSchema("HAProxy with the API's floating IP; two are a pair with failover.", 1, {
      count: 2,
      most: 2,
      cpus: 1,
      memoryMiB: 512,
      diskGiB: 10,
    }),
    masters: poolSchema("Control plane and etcd; an odd number.", 1, {
      count: 3,
      most: 7,
      cpus: 2,
      memoryMiB: 2048,
      diskGiB: 20,
    }),
    workers: poolSchema("Where workloads run.", 0, { count: 2, most: 5_000, cpus: 2, memoryMiB: 2048, diskGiB: 20 }),
    storage: poolSchema("Storage machines: none, one, or three; each keeps its copy on its first disk.", 0, {
      count: 0,
      most: 3,
      cpus: 1,
      memoryMiB: 512,
      diskGiB: 10,
    }),
  })
  .prefault({});

const networkSchema = z
  .strictObject({
    cidr: cidrSchema
      .default("192.168.56.0/21")
      .describe("Private range of the whole data centre, /22 or larger; the segments are carved from it."),
    podCidr: cidrSchema.default("10.244.0.0/16").describe("Addresses of pods, a /24 for each master and worker."),
    serviceCidr: cidrSchema.default("10.96.0.0/16").describe("Addresses of services, /12 to /24."),
  })
  .prefault({});

const storageSchema = z
  .strictObject({
    volume: z
      .enum(["replica-3", "arbiter"])
      .default("replica-3")
      .describe(
        "What three storage machines keep: `replica-3` = three copies, `arbiter` = two copies, and the third machine " +
          "only the names that decide which is right. A single storage machine keeps one copy.",
      ),
  })
  .prefault({});

const optionsSchema = z
  .strictObject({
    failover: z
      .enum(["fast", "calm"])
      .default("fast")
      .describe(
        "How soon a silent machine counts as dead: balancers, pods of workers and writes to volumes go on within " +
          "seconds with `fast`; `calm` is for hosts that stall.",
      ),
    failoverBy: z
      .enum(["pacemaker", "keepalived"])
      .default("pacemaker")
      .describe(
        "What moves the floating IP: `pacemaker` by majority, never held twice; `keepalived` sooner, and twice while " +
          "the balancers do not hear each other.",
      ),
    fastProbes: z
      .boolean()
      .default(false)
      .describe("Probe control plane and CoreDNS once a second while they start, instead of every ten."),
    rebirth: z
      .boolean()
      .default(false)
      .describe("Consent to start a new, empty cluster when the data of every master is gone."),
    protected: z
      .boolean()
      .default(false)
      .describe("`true` keeps `groundplane verify` from breaking machines of this stack."),
    keepDataDisks: z.boolean().default(true).describe("`false` deletes data disks together with the stack."),
  })
  .prefault({});

const virtualboxSchema = z
  .strictObject({
    attachments: z
      .array(
        z.strictObject({
          segment: z.enum(["dmz", "masters", "workers", "storage"]).describe("Which segment."),
          to: z
            .enum(["host", "adapter"])
            .describe("`host` gives the host an address in the segment, `adapter` joins it with a network outside."),
          adapter: z
            .string()
            .min(1)
            .optional()
            .describe("The host's adapter for `to: adapter`, as `VBoxManage list bridgedifs` names it."),
        }),
      )
      .default([])
      .describe("Segments that are reached from outside; all others exist between machines only."),
  })
  .prefault({})
  .describe("What only VirtualBox has.");

const portSchema = wholeNumber(1_024, 65_535).optional();

export const configurationSchema = z
  .strictObject({
    driver: z
      .enum(["auto", "nspawn", "fake", "virtualbox", "qemu"])
      .default("auto")
      .describe(
        "Where machines run: `virtualbox` or `qemu` = virtual machines, `nspawn` = system containers, `auto` = the best " +
          "that this host has, `fake` = on paper, for tests.",
      ),
    kubernetesVersion: z
      .enum(supportedKubernetesVersions)
      .default(defaultKubernetesVersion)
      .describe("Version of Kubernetes."),
    pools: poolsSchema,
    storage: storageSchema,
    network: networkSchema,
    floatingIp: addressSchema.optional().describe("The API's address inside the dmz; planned when absent."),
    hostPorts: z
      .strictObject({
        api: portSchema.describe("Port on 127.0.0.1 that leads to the API."),
        ssh: portSchema.describe("Port on 127.0.0.1 that leads to the gateway's SSH."),
      })
      .prefault({})
      .describe("Ports on the host; derived from the stack's name when absent."),
    options: optionsSchema,
    virtualbox: virtualboxSchema,
  })
  .describe("One data centre.");

/** What the schema gives for valid input: all defaults that need nothing but the file are in place. */
export type ParsedShape = z.output<typeof configurationSchema>;
