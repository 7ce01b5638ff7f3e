import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { TestContext } from "node:test";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { probeApi } from "../../verify/api-probe";
import type { ProbeResult } from "../../verify/samples";
import type { StackStatus } from "../../verify/stack-status";
import {
  type ClusterUnderTest,
  type CommandOutput,
  eventually,
  mustSucceed,
  patienceMs,
} from "../support/cluster-under-test";

/** A running stack, with what most steps need. */
export interface StackUnderTest {
  readonly cluster: ClusterUnderTest;
  readonly driver: Hypervisor;
  /** Port of the API on 127.0.0.1. */
  readonly apiPort: () => number;
}

/** The stack that the steps of the end-to-end test share. */
export interface LabUnderTest extends StackUnderTest {
  /** Writes the stack's file with these settings. The other settings do not change. */
  readonly configure: (change: Partial<LabSettings>) => void;
}

export interface LabSettings {
  readonly masters: number;
  readonly workers: number;
  readonly failover: "fast" | "calm";
}

/** The pools of the example. Some steps change them and restore them. */
export const balancers: readonly string[] = ["balancer-1", "balancer-2"];
export const masters: readonly string[] = ["master-1", "master-2", "master-3"];

/** One step of the scenario. The report shows its name and duration. */
export type Step = (lab: LabUnderTest, t: TestContext) => Promise<void>;

/** The example stack under another name, so that it does not conflict with a user's own lab. */
const stackFile = ({ masters, workers, failover }: LabSettings): string => `config:
  groundplane:dataCenter:
    driver: nspawn
    pools:
      balancers: {count: 2}
      masters: {count: ${masters}}
      workers: {count: ${workers}}
      storage: {count: 3, disks: [{name: brick, sizeGiB: 4}]}
    options: {failover: ${failover}}
`;

/** Writes the stack's file and keeps Pulumi's own part (the encryption salt). */
export function writeStackFile(cluster: ClusterUnderTest, settings: LabSettings): void {
  const file = cluster.project.stackFile(cluster.stack);
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const salt = /^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "";
  fs.writeFileSync(file, salt + stackFile(settings));
}

export async function up({ cluster }: StackUnderTest, ...flags: readonly string[]): Promise<CommandOutput> {
  // Stack outputs would displace the failure from the shown part of the output.
  const words = ["up", "--yes", "--skip-preview", "--suppress-outputs", ...flags];
  return mustSucceed("pulumi up", await cluster.pulumi(...words));
}

/**
 * A preview finds no changes. On a busy host, a machine may be too slow to be read, which a preview proposes to update: then it is
 * asked again. A real difference stays.
 */
export async function previewsNoChange({ cluster }: Pick<StackUnderTest, "cluster">): Promise<void> {
  const preview = () => cluster.pulumi("preview", "--expect-no-changes", "--diff");
  const isAnswer = ({ exitCode, stdout, stderr }: CommandOutput): boolean =>
    exitCode === 0 || !/timed out/.test(stdout + stderr);
  mustSucceed("preview", await eventually("a preview that reads everything", patienceMs, preview, isAnswer));
}

/** Pulumi's counts at the end of an operation, e.g. `~ 2 updated` and `60 unchanged`. */
export const countsOf = ({ stdout }: CommandOutput): string => stdout.slice(stdout.lastIndexOf("Resources:"));

export async function waitForReadyNodes(
  { cluster }: StackUnderTest,
  count: number,
  master = "master-1",
): Promise<void> {
  await eventually(
    `${count} nodes Ready`,
    patienceMs,
    () => cluster.kubectl(master, "get", "nodes", "--no-headers"),
    ({ stdout }) => stdout.split("\n").filter((line) => / Ready /.test(line)).length === count,
  );
}

/** kubectl as a command of a master, for pipes. */
export const kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf";

/** Applies a manifest, YAML or JSON. */
export async function apply({ cluster }: Pick<StackUnderTest, "cluster">, manifest: string): Promise<void> {
  const text = Buffer.from(manifest).toString("base64");
  mustSucceed("apply", await cluster.onNode("master-1", `echo ${text} | base64 -d | ${kubectl} apply -f -`));
}

export const supportFile = (name: string): string =>
  fs.readFileSync(path.join(__dirname, "..", "support", name), "utf8");

/** Applies a manifest of test/support and waits until its Deployments run. */
export async function deploy(
  lab: Pick<StackUnderTest, "cluster">,
  manifest: string,
  ...deployments: string[]
): Promise<void> {
  await apply(lab, supportFile(manifest));
  const rollout = ["rollout", "status", ...deployments.map((name) => `deployment/${name}`), "--timeout=180s"];
  mustSucceed("rollout", await lab.cluster.kubectl("master-1", ...rollout));
}

/** The nodes where the pods with this label run. */
export async function nodesOfApp({ cluster }: StackUnderTest, app: string): Promise<string> {
  const query = ["get", "pods", "-l", `app=${app}`, "-o", "jsonpath={.items[*].spec.nodeName}"];
  return mustSucceed("get pods", await cluster.kubectl("master-1", ...query)).stdout.trim();
}

/**
 * A client that sends requests to the API through the floating IP during an operation. It has begun.
 *
 * @param ca verifies the API's certificate; absent: it is not verified
 */
export async function askMeanwhile(lab: StackUnderTest, everyMs = 20, ca?: string): Promise<Client> {
  const client = probeApi(`https://127.0.0.1:${lab.apiPort()}/readyz`, everyMs, ca);
  clients.add(client);
  await client.begun;
  return client;
}

interface Client {
  stop(): Promise<ProbeResult>;
}

const clients = new Set<Client>();

/** Stops the clients of a failed step, which would otherwise keep the test running. */
export async function stopClients(): Promise<void> {
  const stopped = await Promise.allSettled([...clients].map((client) => client.stop()));
  clients.clear();
  for (const outcome of stopped) if (outcome.status === "rejected") throw outcome.reason;
}

export function tellGap(t: TestContext, what: string, seen: ProbeResult): void {
  const { longestGapMs, failed, sent, errors } = seen;
  t.diagnostic(
    `${what}: longest gap ${longestGapMs} ms, ${failed} of ${sent} requests failed ${JSON.stringify(errors)}`,
  );
}

export const secondsSince = (startedMs: number): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;

export const etcdctl = (command: string): string =>
  [
    "ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379",
    "--cacert /etc/kubernetes/pki/etcd/ca.crt",
    "--cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key",
    command,
  ].join(" ");

export async function healthyEtcdMembers({ cluster }: StackUnderTest, master = "master-1"): Promise<number> {
  const health = await cluster.onNode(master, etcdctl("endpoint health --cluster"));
  return (health.stdout + health.stderr).match(/is healthy/g)?.length ?? 0;
}

/** The balancer that has the floating IP on its interface, empty if none has it. Two holders are a split brain. */
export async function floatingIpHolder({ cluster }: StackUnderTest, among: readonly string[]): Promise<string> {
  const holders: string[] = [];
  for (const name of among) {
    const shown = await cluster.onNode(name, "ip -4 -brief address show dev dmz");
    if (shown.stdout.includes("192.168.56.10/")) holders.push(name);
  }
  assert.ok(holders.length <= 1, `the floating IP is held by ${holders.join(" and ")}`);
  return holders[0] ?? "";
}

/** `status` is asked again for this long, because a machine that runs all tests may be slow. */
const SETTLE_MS = 60_000;

/**
 * Runs after a failed step. In an unhealthy lab, every later step fails after minutes, without new information.
 *
 * @returns what is not healthy; empty if the lab is healthy
 */
export async function problemsOf({ cluster }: StackUnderTest, t: TestContext): Promise<string> {
  const end = performance.now() + SETTLE_MS;
  let status = await cluster.groundplane("status", "--json");
  while (status.exitCode !== 0 && performance.now() < end) status = await cluster.groundplane("status", "--json");
  if (status.exitCode === 0) return "";
  t.diagnostic(status.stdout + status.stderr);
  const { machines, checks } = statusIn(status.stdout);
  for (const { name } of machines.filter(({ ready }) => !ready)) {
    const { stdout, stderr } = await cluster.groundplane("logs", name);
    t.diagnostic(`${name}:\n${[...stderr.split("\n"), ...stdout.split("\n").slice(-100)].join("\n")}`);
  }
  const found = checks.flatMap(({ findings }) => findings.filter(({ state }) => state === "unhealthy"));
  const problems = found.map(({ of, observed }) => `${of} ${observed}`);
  return problems.join("; ").slice(0, 400) || "status failed";
}

function statusIn(text: string): Pick<StackStatus, "machines" | "checks"> {
  return text.startsWith("{") ? (JSON.parse(text) as StackStatus) : { machines: [], checks: [] };
}
