import * as z from "zod";
import { balancerNames, defaultBalancer } from "../../model/balancers";
import { podSecurityLevels } from "../../model/cluster-namespaces";
import { distributions } from "../../model/distributions";
import { driverNames } from "../../model/drivers";
import { failoverProfileNames } from "../../model/failover-profiles";
import { flowParties } from "../../model/flows";
import { kubeProxyModes } from "../../model/kube-proxy-modes";
import { defaultKubernetesVersion, kubernetesVersions } from "../../model/releases";
import { segmentNames } from "../../model/segments";
import { isAligned, parseAddress, parseCidr } from "./ipv4";
import { poolsSchema, wholeNumber } from "./pools-schema";

/** The shape of what users write, with every default. Rules about several values are in the `*-rules.ts` files. */

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

const portRangeSchema = z.string().refine((text) => isPortRange(text), {
  error: "must be a range of ports",
  params: { fix: "write the first and the last port, e.g. 8000-8010" },
});

function isPortRange(text: string): boolean {
  const [first = 0, last = 0, ...rest] = text
    .split("-")
    .map((part) => (/^[1-9]\d{0,4}$/.test(part) ? Number(part) : 0));
  return rest.length === 0 && first > 0 && first < last && last <= 65_535;
}

const networkSchema = z
  .strictObject({
    cidr: cidrSchema
      .default("192.168.56.0/21")
      .describe("Private range of the data centre, /22 or larger; it contains all segments."),
    podCidr: cidrSchema.default("10.244.0.0/16").describe("Addresses of pods, a /24 for each master and worker."),
    serviceCidr: cidrSchema.default("10.96.0.0/16").describe("Addresses of services, /12 to /24."),
    reachable: z
      .array(cidrSchema)
      .default([])
      .describe(
        "Ranges in the networks of this host that machines and pods may reach, e.g. a mirror in its LAN. All private and " +
          "link-local addresses, and this host's own, are closed otherwise.",
      ),
    flows: z
      .array(
        z.strictObject({
          from: z.enum(flowParties).describe("Who connects; `api` = balancers and floating IP."),
          to: z.enum(flowParties).describe("Who answers."),
          protocol: z.enum(["tcp", "udp"]).default("tcp").describe("Protocol."),
          ports: z
            .array(z.union([wholeNumber(1, 65_535), portRangeSchema]))
            .min(1)
            .describe("Ports and ranges, e.g. `8000-8010`."),
        }),
      )
      .default([])
      .describe("Further connections from one segment into another, beside those of the product."),
  })
  .prefault({});

const storageSchema = z
  .strictObject({
    volume: z
      .enum(["replica-3", "arbiter"])
      .default("replica-3")
      .describe(
        "Copies on three storage machines: `replica-3` = three copies, `arbiter` = two copies, and on the third machine " +
          "only the file names that decide which copy is right. A single storage machine keeps one copy.",
      ),
  })
  .prefault({});

const optionsSchema = z
  .strictObject({
    failover: z
      .enum(failoverProfileNames)
      .default("fast")
      .describe(
        "How soon an unresponsive machine counts as dead: with `fast`, balancers, etcd, pods of workers and writes to " +
          "volumes recover within seconds; `calm` is for hosts that stall.",
      ),
    failoverBy: z
      .enum(["pacemaker", "keepalived"])
      .default("pacemaker")
      .describe(
        "What moves the floating IP: `pacemaker` by majority, with a single holder; `keepalived` faster, with two holders " +
          "while the balancers cannot reach each other.",
      ),
    balancer: z
      .enum(balancerNames)
      .default(defaultBalancer)
      .describe(
        "What forwards connections to the masters: `haproxy` checks that they are ready; `nginx` only notices masters that " +
          "accept no connections.",
      ),
    fastProbes: z
      .boolean()
      .default(false)
      .describe("Probe control plane and CoreDNS every second while they start, instead of every ten seconds."),
    kubeProxy: z
      .enum(kubeProxyModes)
      .default("nftables")
      .describe("What kube-proxy programs on each node for services and NodePorts: `nftables` or `iptables`."),
    podGraceSeconds: wholeNumber(0, 3_600)
      .default(30)
      .describe(
        "How long pods may take to end when their node stops, reboots or is replaced. The grace period of a pod itself " +
          "applies up to this limit.",
      ),
    podSecurity: z
      .enum(podSecurityLevels)
      .default("baseline")
      .describe(
        "Pod Security Standard for namespaces without a label of their own: `baseline` refuses privileged pods and pods " +
          "that use their node's folders or network.",
      ),
    rebootstrap: z
      .boolean()
      .default(false)
      .describe("Consent to start a new, empty cluster when the data of every master is gone."),
    protected: z.boolean().default(false).describe("`true` prevents `groundplane verify` on this stack."),
    keepDataDisks: z.boolean().default(true).describe("`false` deletes data disks with their machine or the stack."),
  })
  .prefault({});

const virtualboxSchema = z
  .strictObject({
    attachments: z
      .array(
        z.strictObject({
          segment: z.enum(segmentNames).describe("The segment."),
          to: z
            .enum(["host", "adapter"])
            .describe("`host` gives the host an address in the segment, `adapter` connects it to an external network."),
          adapter: z
            .string()
            .min(1)
            .optional()
            .describe("The host's adapter for `to: adapter`, as in `VBoxManage list bridgedifs`."),
        }),
      )
      .default([])
      .describe("Segments that are reachable from outside; all others are internal."),
  })
  .prefault({})
  .describe("Options of VirtualBox.");

const portSchema = wholeNumber(1_024, 65_535).optional();

export const configurationSchema = z
  .strictObject({
    driver: z
      .enum(["auto", ...driverNames])
      .default("auto")
      .describe(
        "Where machines run: `virtualbox` or `qemu` = virtual machines, `nspawn` = system containers, `auto` = the best " +
          "available driver, `fake` = simulated, for tests.",
      ),
    kubernetesVersion: z.enum(kubernetesVersions).default(defaultKubernetesVersion).describe("Version of Kubernetes."),
    distribution: z
      .enum(distributions)
      .default("debian")
      .describe("Distribution of the machines: `debian` (trixie) or `ubuntu` (24.04)."),
    pools: poolsSchema,
    storage: storageSchema,
    network: networkSchema,
    floatingIp: addressSchema.optional().describe("The API's address inside the dmz; planned when absent."),
    hostPorts: z
      .strictObject({
        api: portSchema.describe("Port of the API on 127.0.0.1."),
        ssh: portSchema.describe("Port of the gateway's SSH on 127.0.0.1."),
      })
      .prefault({})
      .describe("Ports on the host; derived from the stack's name when absent."),
    options: optionsSchema,
    virtualbox: virtualboxSchema,
  })
  .describe("One data centre.");
