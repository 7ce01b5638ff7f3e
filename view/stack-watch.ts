import { holdersIn } from "../verify/health/balancing-answers";
import { withoutAnswers } from "../verify/health/cluster-state";
import type { MachineAnswers } from "../verify/health/findings";
import type { StackAnswers } from "../verify/health/health-rows";
import { isAsked, type Question } from "../verify/health/questions";
import { ClusterWatch } from "./cluster-watch";
import { CurrentAnswers, type WatchListener } from "./current-answers";
import { MachineWatch, SILENT_MS } from "./machine-watch";
import { pause, repeatPaced } from "./pace";
import type { ViewEvent } from "./picture/state";
import { AnswerOrder, withAnswers, withCluster, withOneHolder, withPower } from "./stack-answers";
import type { StackSource } from "./stack-source";

/** What changes fast. The watch of a machine tells when to ask again. */
const followed = ["floating-ip", "etcd-status"] as const satisfies readonly Question[];
/** What is not known of a machine that gives no sign of life. */
const live: readonly Question[] = ["services", ...followed];

const FULL_MS = 30_000;
const POWER_MS = 700;
/** After a change, the slow questions are asked as well, once it has had some time to show. */
const AFTER_CHANGE_MS = 4_000;
const TOGETHER_MS = 40;
/** Connections to the API pass these machines. */
const onTheWay = ["gateway", "balancer", "master"] as const;

/**
 * Keeps the answers of `status` up to date: all questions are asked seldom, and those whose answers change fast when the machine, the
 * cluster or the hypervisor shows a change. What gives no sign of life is not known.
 */
export class StackWatch {
  private readonly current: CurrentAnswers;
  private readonly order = new AnswerOrder();
  private readonly cluster: ClusterWatch;
  private readonly watches = new Map<string, MachineWatch>();
  /** The last answers of machines that are silent. */
  private readonly kept = new Map<string, MachineAnswers>();
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private wake = (): void => {};
  private hasEnded = false;

  constructor(
    stack: string,
    private readonly source: StackSource,
    listener: WatchListener,
    private readonly now: () => number = Date.now,
  ) {
    const events = (all: readonly ViewEvent[]): void => {
      listener.events(all);
      if (all.some(({ kind }) => kind === "failover")) this.cluster.restart();
      this.soonAll();
    };
    this.current = new CurrentAnswers(stack, source.driver, { ...listener, events }, now);
    this.cluster = new ClusterWatch(source, () => this.soon("cluster", () => this.askCluster()));
  }

  /** Until the signal aborts. A source that fails is asked again. */
  async run(signal: AbortSignal): Promise<void> {
    const onWake = (wake: () => void): void => {
      this.wake = wake;
    };
    const all = repeatPaced(
      { everyMs: FULL_MS, times: 10, wake: onWake },
      () => this.current.replace(() => this.source.askAll()),
      signal,
    );
    const rest = this.firstAnswers(signal).then((answers) => answers && this.follow(answers, signal));
    await Promise.all([all, rest]);
    this.hasEnded = true;
    for (const timer of this.waiting.values()) clearTimeout(timer);
  }

  private async firstAnswers(signal: AbortSignal): Promise<StackAnswers | undefined> {
    while (this.current.all === undefined && !signal.aborted) await pause(100, signal);
    return this.current.all;
  }

  private async follow({ machines }: StackAnswers, signal: AbortSignal): Promise<void> {
    for (const { name, roles } of machines) this.watches.set(name, this.watchOf(name, roles));
    await Promise.all([
      repeatPaced({ everyMs: POWER_MS, times: 20 }, () => this.askPower(machines), signal),
      this.cluster.run(signal),
      ...[...this.watches.values()].map((each) => each.run(signal)),
    ]);
  }

  private watchOf(name: string, roles: MachineAnswers["roles"]): MachineWatch {
    const questions = followed.filter((each) => isAsked(each, roles));
    return new MachineWatch({
      isRunning: () => this.current.machine(name)?.power === "running",
      follow: (onSign, signal) => this.source.followMachine(name, questions, onSign, signal),
      onChange: (question) => this.soon(question, () => this.askAgain(question)),
      onSilent: () => this.silent(name),
      onHeard: (isSame) => this.heard(name, isSame),
      forget: () => this.source.forget(name),
    });
  }

  private silent(name: string): void {
    const machine = this.current.machine(name);
    if (machine === undefined) return;
    this.kept.set(name, machine);
    for (const question of live) this.order.outdate(`${name} ${question}`);
    const silence = `no sign of life for ${SILENT_MS / 1_000} s`;
    this.current.apply(withAnswers({ name, answers: new Map(), silence }, live));
    this.mayPass(name);
  }

  /** The watch reports each change, so over the same connection the last answers still hold until they are asked again. */
  private heard(name: string, isSame: boolean): void {
    const kept = this.kept.get(name);
    this.kept.delete(name);
    if (isSame && kept) this.current.apply(withAnswers(kept, live));
    for (const question of live) this.soon(`${name} ${question}`, () => this.askOne(name, question));
  }

  /** Watches of the cluster may wait on a connection through a machine that is gone. */
  private mayPass(name: string): void {
    const roles = this.current.machine(name)?.roles ?? [];
    if (onTheWay.some((role) => roles.includes(role))) this.cluster.restart();
  }

  private async askPower(machines: readonly Pick<MachineAnswers, "name">[]): Promise<void> {
    await Promise.all(
      machines.map(async ({ name }) => {
        const power = await this.source.power(name);
        if (power === this.current.machine(name)?.power) return;
        this.source.forget(name);
        this.kept.delete(name);
        this.current.apply(withPower(name, power));
        this.watches.get(name)?.restart();
        this.mayPass(name);
        for (const question of followed) this.soon(question, () => this.askAgain(question));
        this.soonAll();
      }),
    );
  }

  /** Each answer counts when it arrives: a machine that is away must not delay the others. */
  private async askAgain(question: Question): Promise<void> {
    const asked = [...this.watches.keys()];
    const unanswered = new Set(asked);
    await Promise.all(asked.map((name) => this.askOne(name, question, unanswered)));
  }

  private async askOne(name: string, question: Question, unanswered = new Set<string>()): Promise<void> {
    const machine = this.current.machine(name);
    if (machine === undefined || !isAsked(question, machine.roles)) return;
    const ask = () => this.source.askMachine(name, machine.power, [question]);
    await this.order.ask(`${name} ${question}`, ask, (answers) => {
      unanswered.delete(name);
      const changes = [withAnswers(answers, [question])];
      if (holdersIn([answers]).length > 0) changes.unshift(withOneHolder(answers, unanswered));
      this.current.apply((all) => changes.reduce((before, change) => change(before), all));
    });
  }

  private async askCluster(): Promise<void> {
    const ask = () => this.source.askCluster();
    await this.order.ask("cluster", ask, (cluster) => this.current.apply(withCluster(cluster, this.now())));
  }

  /** The probe's requests have no answer: what the API told last is not known any more. */
  apiSilent(reason: string): void {
    this.order.outdate("cluster");
    this.current.apply(withCluster(withoutAnswers(reason), this.now()));
  }

  /** The probe's requests succeed again after a gap: watches may wait on connections that nothing answers any more. */
  reconnect(): void {
    this.cluster.restart();
    this.soonAll();
  }

  private soonAll(): void {
    this.soon("all", async () => this.wake(), AFTER_CHANGE_MS);
  }

  /** Calls that come together count as one. A failure is followed by the next regular question. */
  private soon(what: string, action: () => Promise<void>, afterMs = TOGETHER_MS): void {
    if (this.hasEnded || this.waiting.has(what)) return;
    const start = (): void => {
      this.waiting.delete(what);
      action().catch(() => undefined);
    };
    this.waiting.set(what, setTimeout(start, afterMs));
  }
}
