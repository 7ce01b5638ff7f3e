import * as z from "zod";
import type { Role } from "../../model/roles";
import { volumes } from "../../model/volumes";

/** The part of the schema that says how many machines of which kind there are. */

export const wholeNumber = (least: number, most: number) => z.int().min(least).max(most);

const MOST_GIB = 65_536;
const MOST_WORKERS = 5_000;

const diskSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/, {
        error: "must be lower-case letters, digits and dashes, at most 20, starting with a letter",
      })
      .describe("Name within the machine, e.g. `brick`; mounted at /data/<name>."),
    sizeGiB: wholeNumber(1, MOST_GIB).describe("Size in GiB."),
  })
  .describe("A data disk; kept when its machine is replaced.");

/** `5` or `5 GiB`; any other text is left as it is, and is then no whole number. */
const gibibytes = (written: unknown): unknown => {
  const number = typeof written === "string" ? /^(\d{1,6}) ?GiB$/.exec(written)?.[1] : undefined;
  return number === undefined ? written : Number(number);
};

const volumeSchema = z
  .preprocess(gibibytes, wholeNumber(1, MOST_GIB).optional())
  .meta({ type: ["integer", "string"], pattern: "^[0-9]+ ?GiB$" })
  .describe("Size in GiB, as a number or like `5 GiB`; a share of the system disk when absent.");

const volumesSchema = z
  .strictObject(Object.fromEntries(volumes.map(({ mountPoint }) => [mountPoint, volumeSchema.optional()])))
  .prefault({})
  .describe("Volumes of the system disk by mount point, on virtual machines; they grow while the machine runs.");

interface PoolDefaults {
  readonly count: number;
  readonly most: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
}

/** Memory is what the role needs with room to breathe; all defaults together fit a 16 GiB host. */
const poolSchema = (text: string, least: number, defaults: PoolDefaults) =>
  z.strictObject(poolShape(least, defaults)).prefault({}).describe(text);

const poolShape = (least: number, defaults: PoolDefaults) => ({
  count: wholeNumber(least, defaults.most).default(defaults.count).describe("Number of machines."),
  cpus: wholeNumber(1, 64).default(defaults.cpus).describe("Virtual processors of each machine."),
  memoryMiB: wholeNumber(256, 1_048_576).default(defaults.memoryMiB).describe("Memory of each machine in MiB."),
  diskGiB: wholeNumber(4, MOST_GIB).default(defaults.diskGiB).describe("System disk of each machine in GiB."),
  volumes: volumesSchema,
  disks: z.array(diskSchema).default([]).describe("Data disks of each machine."),
});

const furtherRoles = <const Names extends readonly [Role, ...Role[]]>(names: Names, text: string) =>
  z
    .array(z.enum(names))
    .refine((given) => new Set(given).size === given.length, {
      error: "must name each role once",
      params: { fix: "remove the repeated role" },
    })
    .default([])
    .describe(text);

export const poolsSchema = z
  .strictObject({
    gateway: z
      .strictObject({
        ...poolShape(1, { count: 1, most: 1, cpus: 1, memoryMiB: 512, diskGiB: 10 }),
        roles: furtherRoles(
          ["balancer", "master", "etcd", "worker"],
          "Roles besides its own: with `etcd`, it is the third member of etcd beside two masters; with `balancer` and `master`, it is the only master, and with `worker`, pods run on it.",
        ),
      })
      .prefault({})
      .describe("Routes, filters, DNS, DHCP, and the way in by SSH; always one."),
    balancers: poolSchema(
      "HAProxy or nginx with the API's floating IP; two are a pair with failover, none where masters or the gateway are balancers.",
      0,
      {
        count: 2,
        most: 2,
        cpus: 1,
        memoryMiB: 512,
        diskGiB: 10,
      },
    ),
    masters: z
      .strictObject({
        ...poolShape(0, {
          count: 3,
          most: 7,
          cpus: 2,
          memoryMiB: 2048,
          diskGiB: 20,
        }),
        roles: furtherRoles(
          ["balancer", "worker"],
          "Roles of each master besides its own: with `worker`, pods run on masters as on workers; with `balancer`, masters take the place of the balancers.",
        ),
      })
      .prefault({})
      .describe(
        "Control plane; an odd number, unless etcd has machines of its own or the gateway is a member of it; none where the gateway is the master.",
      ),
    etcd: poolSchema("Machines for etcd alone: none (each master is a member of etcd), one, three or five.", 0, {
      count: 0,
      most: 5,
      cpus: 1,
      memoryMiB: 768,
      diskGiB: 20,
    }),
    workers: z
      .strictObject({
        ...poolShape(0, { count: 2, most: MOST_WORKERS, cpus: 2, memoryMiB: 2048, diskGiB: 20 }),
        maxUnavailable: wholeNumber(1, MOST_WORKERS)
          .default(1)
          .describe(
            "So many workers get another image at the same time, e.g. in an upgrade of Kubernetes; less than their number.",
          ),
      })
      .prefault({})
      .describe("Where workloads run."),
    storage: poolSchema("Storage machines: none, one, or three; each keeps its copy on its first disk.", 0, {
      count: 0,
      most: 3,
      cpus: 1,
      memoryMiB: 512,
      diskGiB: 10,
    }),
  })
  .prefault({});
