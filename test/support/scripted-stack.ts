import { networkPolicyLabel } from "../../model/releases";
import { isClusterNode, primaryRole } from "../../model/roles";
import { type DataCenterPlan, nodesOf } from "../../stacks/plan/data-center-plan";
import {
  type ClusterState,
  type LeaderName,
  type NodeObject,
  type PodObject,
  withoutAnswers,
} from "../../verify/health/cluster-state";
import type { MachineAnswers } from "../../verify/health/findings";
import type { StackAnswers } from "../../verify/health/health-rows";
import { type Answer, inapplicable, type Question, questionsOf } from "../../verify/health/questions";
import type { Power, StackSource } from "../../view/stack-source";

const YEAR_MS = 31_536_000_000;

interface Follower {
  readonly name: string;
  readonly onSign: (question?: Question) => void;
}

/** As `cloud-init/scripts/health/watch.sh`, and as `view/stack-source.ts` waits for answers. */
const SIGN_MS = 400;
const PROBE_MS = 100;
const MACHINE_PATIENCE_MS = 1_500;
const CLUSTER_PATIENCE_MS = 5_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A stack that is simulated in this process, and answers like machines do. Tests break it. */
export class ScriptedStack implements StackSource {
  readonly driver = "fake";
  readonly stopped = new Set<string>();
  readonly cordoned = new Set<string>();
  /** Questions that a machine answers with a problem. */
  readonly problems = new Map<string, Partial<Record<Question, string>>>();
  holder: string | undefined;
  readonly leaders: Partial<Record<LeaderName | "etcd", string>>;
  /** How often each question was asked, and what is followed now. */
  asked = 0;
  closed = 0;
  /** All questions together are answered after it. */
  held = Promise.resolve();
  readonly following = new Set<string>();
  /** Connections that nothing ends and nothing passes any more, by the name of the machine, or `api`. */
  readonly lost = new Set<string>();
  /** The hypervisor's answers take so long. */
  powerMs = 0;
  /** Where requests to a Service and the volume came from, and what they take now, `-` for no answer. */
  readonly probed: string[] = [];
  readonly took: Record<string, string> = {};
  private readonly onMachine = new Set<Follower>();
  private readonly onCluster = new Set<() => void>();

  constructor(readonly plan: DataCenterPlan) {
    this.holder = nodesOf(plan, "balancer")[0]?.name;
    const masters = nodesOf(plan, "master").map(({ name }) => name);
    const [first = ""] = masters;
    this.leaders = {
      etcd: nodesOf(plan, "etcd").at(-1)?.name ?? first,
      "kube-scheduler": masters[1] ?? first,
      "kube-controller-manager": first,
    };
  }

  /** The machine loses its power, and what it held moves as it does in a real stack. */
  kill(name: string): void {
    this.stopped.add(name);
    if (this.holder === name) this.holder = this.other("balancer", name);
    for (const [what, leader] of Object.entries(this.leaders)) {
      if (leader === name)
        this.leaders[what as LeaderName] = this.other(what === "etcd" ? "etcd" : "master", name) ?? "";
    }
    this.tell();
  }

  start(name: string): void {
    this.stopped.delete(name);
    this.tell();
  }

  /** As the kernel, the members of etcd and the API do. */
  tell(): void {
    for (const { name, onSign } of this.onMachine) {
      if (this.isSilent(name)) continue;
      for (const question of ["floating-ip", "etcd-status"] as const) onSign(question);
    }
    if (!this.lost.has("api")) for (const listen of this.onCluster) listen();
  }

  private other(role: "balancer" | "etcd" | "master", than: string): string | undefined {
    return nodesOf(this.plan, role).find(({ name }) => name !== than && !this.stopped.has(name))?.name;
  }

  async askAll(): Promise<StackAnswers> {
    this.asked++;
    await this.held;
    return {
      unfinished: undefined,
      inventory: this.plan.nodes.map(({ name, roles, address, fqdn }) => ({
        ...{ name, role: primaryRole(roles), roles, address, fqdn, macs: [], hostKey: "", controlPlane: "services" },
      })),
      machines: this.plan.nodes.map(({ name, roles }) => this.answersOf(name, questionsOf(roles))),
      volume: undefined,
      cluster: this.cluster(),
      addOns: {
        metrics: "absent",
        services: { value: [] },
        announced: "absent",
        registry: "absent",
        slices: { value: [] },
      },
      objects: [{ of: "cluster", state: "healthy", observed: "21 objects" }],
      apiEndpoint: `https://127.0.0.1:${this.plan.hostPorts.api}`,
      administratorEndMs: Date.now() + YEAR_MS,
      authority: { name: "CN=kubernetes", endMs: Date.now() + 10 * YEAR_MS },
      nowMs: Date.now(),
    };
  }

  async askCluster(): Promise<ClusterState> {
    if (!this.lost.has("api")) return this.cluster();
    await pause(CLUSTER_PATIENCE_MS);
    return withoutAnswers("the API does not respond: timeout");
  }

  async askMachine(name: string, power: Power, questions: readonly Question[]): Promise<MachineAnswers> {
    if (!this.isSilent(name) || power !== "running") return this.answersOf(name, questions);
    await pause(MACHINE_PATIENCE_MS);
    return { ...this.answersOf(name, []), power, answers: new Map(), silence: "no response within 1500 ms" };
  }

  async power(name: string): Promise<Power> {
    if (this.powerMs > 0) await pause(this.powerMs);
    return this.stopped.has(name) ? "stopped" : "running";
  }

  /** A machine that is off closes nothing: its watch only stops. */
  followMachine(
    name: string,
    _questions: readonly Question[],
    onSign: (question?: Question) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const sign = (): void => {
      if (!this.isSilent(name)) onSign();
    };
    const signs = setInterval(sign, SIGN_MS);
    setTimeout(sign, 1);
    return this.follow(name, this.onMachine, { name, onSign }, signal).finally(() => clearInterval(signs));
  }

  private isSilent = (name: string): boolean =>
    this.stopped.has(name) || this.lost.has(name) || this.lost.has("gateway");

  /** As the script on a node prints them. */
  probe(name: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    this.probed.push(name);
    const targets = this.plan.volume ? ["service", "volume"] : ["service"];
    const print = (): void => {
      if (this.isSilent(name)) return;
      for (const target of targets) for (const age of [100, 0]) onLine(`${target} ${age} ${this.took[target] ?? 4}`);
    };
    const lines = setInterval(print, 2 * PROBE_MS);
    return this.follow(`probe ${name}`, new Set(), {}, signal).finally(() => clearInterval(lines));
  }

  followCluster(onChange: () => void, signal: AbortSignal): Promise<void> {
    return this.follow("cluster", this.onCluster, onChange, signal);
  }

  forget(): void {}

  async close(): Promise<void> {
    this.closed++;
  }

  private follow<T>(name: string, listeners: Set<T>, listen: T, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    listeners.add(listen);
    this.following.add(name);
    return new Promise((resolve) => {
      const end = (): void => {
        listeners.delete(listen);
        this.following.delete(name);
        resolve();
      };
      signal.addEventListener("abort", end, { once: true });
    });
  }

  private answersOf(name: string, questions: readonly Question[]): MachineAnswers {
    const { roles } = this.plan.nodes.find((node) => node.name === name) as DataCenterPlan["nodes"][number];
    const machine = { name, roles, image: `kubernetes-${this.plan.kubernetes.version}` };
    if (this.stopped.has(name)) return { ...machine, power: "stopped", answers: new Map(), silence: "is stopped" };
    const answers = new Map(questions.map((question) => [question, this.answer(name, question)] as const));
    return { ...machine, power: "running", answers, silence: "no answer" };
  }

  private answer(name: string, question: Question): Answer {
    const problem = this.problems.get(name)?.[question];
    if (problem !== undefined) return { code: 1, text: problem };
    const end = `notAfter=${openSslDate(new Date(Date.now() + YEAR_MS))}`;
    const members = nodesOf(this.plan, "etcd").map((node, index) => ({ ID: index + 1, name: node.name }));
    const id = (member: string | undefined): number => members.find((each) => each.name === member)?.ID ?? 0;
    const status = { header: { member_id: id(name) }, leader: id(this.leaders.etcd), dbSize: 9_437_184 };
    const texts: Partial<Record<Question, string>> = {
      services: "",
      "failed-units": "",
      "floating-ip":
        this.holder === name ? `2: dmz    inet ${this.plan.balancing.floatingIp}/24 scope global secondary dmz` : "",
      "etcd-status": JSON.stringify([{ Endpoint: "https://127.0.0.1:2379", Status: status }]),
      "etcd-members": JSON.stringify({ header: {}, members }),
      certificates: `/etc/kubernetes/pki/apiserver.crt ${end}`,
      "api-server": `readyz 200\n${end}`,
    };
    const text = texts[question];
    return text === undefined ? { code: inapplicable, text: "" } : { code: 0, text };
  }

  private cluster(): ClusterState {
    const names = this.plan.nodes.filter(({ roles }) => isClusterNode(roles)).map(({ name }) => name);
    const ready = (name: string) => [{ type: "Ready", status: this.stopped.has(name) ? "Unknown" : "True" }];
    const lease = (name: LeaderName) => ({
      value: { spec: { holderIdentity: this.leaders[name] ?? null, renewTime: new Date().toISOString() } },
    });
    return {
      nodes: {
        value: names.map(
          (name): NodeObject => ({
            metadata: { name, labels: networkPolicyLabel },
            spec: { unschedulable: this.cordoned.has(name) },
            status: { conditions: ready(name), nodeInfo: { kubeletVersion: `v${this.plan.kubernetes.version}` } },
          }),
        ),
      },
      pods: {
        value: names.flatMap((name) => ["kube-proxy", "kube-flannel"].map((pod) => podOn(name, pod, ready(name)))),
      },
      workloads: { value: [] },
      leases: {
        "kube-scheduler": lease("kube-scheduler"),
        "kube-controller-manager": lease("kube-controller-manager"),
      },
    };
  }
}

/** e.g. `Nov 30 08:00:00 2027 GMT` */
function openSslDate(date: Date): string {
  const [, day = "", month = "", year = "", time = ""] = /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(date.toUTCString()) ?? [];
  return `${month} ${day} ${time} ${year} GMT`;
}

const podOn = (node: string, name: string, conditions: PodObject["status"]["conditions"]): PodObject => ({
  metadata: { name: `${name}-${node}`, namespace: "kube-system" },
  spec: { nodeName: node },
  status: { phase: "Running", conditions },
});
