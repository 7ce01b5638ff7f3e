import * as z from "zod";
import { type AddOnName, addOns } from "../../model/add-ons";
import { longestBackupPeriod, secondsOfPeriod, shortestBackupPeriod } from "../../model/backups";
import { balancerNames, defaultBalancer } from "../../model/balancers";
import { podSecurityLevels } from "../../model/cluster-namespaces";
import { containerRuntimeNames, defaultContainerRuntime } from "../../model/container-runtimes";
import { controlPlaneForms, defaultControlPlane } from "../../model/control-planes";
import { distributions } from "../../model/distributions";
import { driverNames } from "../../model/drivers";
import { failoverProfileNames } from "../../model/failover-profiles";
import { kubeProxyModes } from "../../model/kube-proxy-modes";
import { defaultKubernetesVersion, kubernetesVersions } from "../../model/releases";
import { segmentNames } from "../../model/segments";
import { addressSchema, hostPortsSchema, networkSchema } from "./network-schema";
import { poolsSchema, wholeNumber } from "./pools-schema";
import { secretsSchema } from "./secrets-schema";

/** The shape of what users write, with every default. Rules about several values are in the `*-rules.ts` files. */

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
    controlPlane: z
      .enum(controlPlaneForms)
      .default(defaultControlPlane)
      .describe(
        "What runs etcd, API server, controller-manager and scheduler: `static-pods` of the kubelet, or `services` = hardened " +
          "systemd units with users of their own. Services need `runtime: containerd`.",
      ),
    fastProbes: z
      .boolean()
      .default(false)
      .describe("Probe control plane and CoreDNS every second while they start, instead of every ten seconds."),
    kubeProxy: z
      .enum(kubeProxyModes)
      .default("nftables")
      .describe("What kube-proxy programs on each node for services and NodePorts: `nftables` or `iptables`."),
    runtime: z
      .enum(containerRuntimeNames)
      .default(defaultContainerRuntime)
      .describe(
        "What runs the containers of pods: `containerd`, or `docker` = the distribution's Docker Engine with cri-dockerd. " +
          "It is part of the image of all nodes that run pods.",
      ),
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

/** A number with its unit: minutes, hours or days. */
const isPeriod = (text: string): boolean => {
  const seconds = secondsOfPeriod(text);
  return seconds !== undefined && seconds >= shortestBackupPeriod && seconds <= longestBackupPeriod;
};

const backupsSchema = z
  .strictObject({
    every: z
      .string()
      .refine(isPeriod, {
        error: "must be a time from 5m to 30d: a whole number with m, h or d",
        params: { fix: "write e.g. 30m, 6h or 1d" },
      })
      .default("6h")
      .describe("The masters take a backup of etcd this often: `5m` to `30d`, with `m`, `h` or `d`."),
    keep: wholeNumber(1, 1_000).default(28).describe("Older backups are removed beyond this number."),
  })
  .optional()
  .describe("Backups that the masters take. Without this key they take none.");

const addOnSchema = (name: AddOnName) =>
  z.boolean().default(false).describe(`${addOns[name].title}: ${addOns[name].gives}.`);

const addOnsSchema = z
  .strictObject({
    "metrics-server": addOnSchema("metrics-server"),
    metallb: addOnSchema("metallb"),
    registry: addOnSchema("registry"),
  } satisfies Readonly<Record<AddOnName, z.ZodType>>)
  .prefault({})
  .describe("Programs of the cluster that it does not need itself.");

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

export const configurationSchema = z
  .strictObject({
    driver: z
      .enum(["auto", ...driverNames])
      .default("auto")
      .describe(
        "Where machines run: `virtualbox` or `qemu` = virtual machines, `nspawn` = system containers, `auto` = the best " +
          "available driver, `fake` = simulated, for tests.",
      ),
    // Its default is no part of the shape: it depends on whether the stack exists.
    kubernetesVersion: z
      .enum(kubernetesVersions)
      .optional()
      .meta({ default: defaultKubernetesVersion })
      .describe(
        "Version of Kubernetes. The default is that of a new stack: the newest. A stack that exists keeps its own.",
      ),
    distribution: z
      .enum(distributions)
      .default("debian")
      .describe("Distribution of the machines: `debian` (trixie) or `ubuntu` (24.04)."),
    pools: poolsSchema,
    storage: storageSchema,
    network: networkSchema,
    floatingIp: addressSchema.optional().describe("The API's address inside the dmz; planned when absent."),
    hostPorts: hostPortsSchema,
    addons: addOnsSchema,
    backups: backupsSchema,
    secrets: secretsSchema,
    options: optionsSchema,
    virtualbox: virtualboxSchema,
  })
  .describe("One data centre.");
