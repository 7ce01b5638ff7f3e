import type { StackAnswers } from "../verify/health/health-rows";
import { isAsked, type Question } from "../verify/health/questions";
import { observed } from "./observed";
import { pause, repeatPaced } from "./pace";
import { changedParts, eventsBetween } from "./picture/changes";
import type { Observed, ViewEvent } from "./picture/state";
import { type Change, withAnswers, withCluster, withPower } from "./stack-answers";
import type { Power, StackSource } from "./stack-source";

/** What changes fast. The watch of a machine tells when to ask again. */
const followed = ["floating-ip", "etcd-status"] as const satisfies readonly Question[];

const FULL_MS = 30_000;
const POWER_MS = 700;
/** After a change, the slow questions are asked as well, once it has had some time to show. */
const AFTER_CHANGE_MS = 4_000;
const TOGETHER_MS = 40;
const RETRY_MS = 1_000;

export interface WatchListener {
  readonly parts: (parts: Partial<Observed>) => void;
  readonly events: (events: readonly ViewEvent[]) => void;
}

/**
 * Keeps the answers of `status` up to date: all questions are asked seldom, and those whose answers change fast when the machine, the
 * cluster or the hypervisor shows a change.
 */
export class StackWatch {
  private answers: StackAnswers | undefined;
  private last: Observed | undefined;
  private askedAt = "";
  /** Made since all questions were asked, whose answers may be older. */
  private changes: Change[] = [];
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private wake = (): void => {};
  private restartCluster = (): void => {};

  constructor(
    private readonly stack: string,
    private readonly source: StackSource,
    private readonly listener: WatchListener,
    private readonly now: () => number = Date.now,
  ) {}

  /** Undefined until everything was asked once. */
  get current(): Observed | undefined {
    return this.last;
  }

  /** Until the signal aborts. A source that fails is asked again. */
  async run(signal: AbortSignal): Promise<void> {
    const all = repeatPaced(
      { everyMs: FULL_MS, times: 10, wake: (wake) => this.onWake(wake) },
      () => this.askAll(),
      signal,
    );
    const rest = this.firstAnswers(signal).then((answers) => answers && this.follow(answers, signal));
    await Promise.all([all, rest]);
    for (const timer of this.waiting.values()) clearTimeout(timer);
  }

  private onWake(wake: () => void): void {
    this.wake = wake;
  }

  private async firstAnswers(signal: AbortSignal): Promise<StackAnswers | undefined> {
    while (this.answers === undefined && !signal.aborted) await pause(100, signal);
    return this.answers;
  }

  private async follow({ machines }: StackAnswers, signal: AbortSignal): Promise<void> {
    const asked = machines.map(({ name, roles }) => ({
      name,
      questions: followed.filter((each) => isAsked(each, roles)),
    }));
    await Promise.all([
      repeatPaced({ everyMs: POWER_MS, times: 20 }, () => this.askPower(), signal),
      this.repeatCluster(signal),
      ...asked.filter(({ questions }) => questions.length > 0).map((each) => this.followMachine(each, signal)),
    ]);
  }

  private async followMachine(
    each: { name: string; questions: readonly Question[] },
    signal: AbortSignal,
  ): Promise<void> {
    const onChange = (question: Question): void => this.soon(question, () => this.askAgain(question));
    while (!signal.aborted) {
      if (this.powerOf(each.name) === "running")
        await this.source.followMachine(each.name, each.questions, onChange, signal).catch(() => undefined);
      await pause(RETRY_MS, signal);
    }
  }

  private async repeatCluster(signal: AbortSignal): Promise<void> {
    const onChange = (): void => this.soon("cluster", () => this.askCluster());
    while (!signal.aborted) {
      const own = new AbortController();
      this.restartCluster = () => own.abort();
      await this.source.followCluster(onChange, AbortSignal.any([signal, own.signal])).catch(() => undefined);
      onChange();
      await pause(RETRY_MS, signal);
    }
  }

  private async askAll(): Promise<void> {
    this.changes = [];
    const answers = await this.source.askAll();
    this.askedAt = new Date(this.now()).toISOString();
    this.answers = this.changes.reduce((all, change) => change(all), answers);
    this.publish();
  }

  private async askPower(): Promise<void> {
    const names = this.answers?.machines.map(({ name }) => name) ?? [];
    await Promise.all(
      names.map(async (name) => {
        const power = await this.source.power(name);
        if (power === this.powerOf(name)) return;
        this.source.forget(name);
        this.apply(withPower(name, power));
        for (const question of followed) this.soon(question, () => this.askAgain(question));
        this.soonAll();
      }),
    );
  }

  /** Each answer counts when it arrives: a machine that is away must not delay the others. */
  private async askAgain(question: Question): Promise<void> {
    const asked = this.answers?.machines.filter(({ roles }) => isAsked(question, roles)) ?? [];
    await Promise.all(
      asked.map(async ({ name, power }) => {
        this.apply(withAnswers(await this.source.askMachine(name, power, [question]), [question]));
      }),
    );
  }

  private async askCluster(): Promise<void> {
    const cluster = await this.source.askCluster();
    this.apply(withCluster(cluster, this.now()));
  }

  /** The probe's requests succeed again after a gap: watches may wait on connections that nothing answers any more. */
  reconnect(): void {
    this.restartCluster();
    this.soonAll();
  }

  private powerOf = (name: string): Power | undefined =>
    this.answers?.machines.find((machine) => machine.name === name)?.power;

  private apply(change: Change): void {
    if (this.answers === undefined) return;
    this.changes.push(change);
    this.answers = change(this.answers);
    this.publish();
  }

  private publish(): void {
    if (this.answers === undefined) return;
    const next = observed(this.stack, this.source.driver, this.answers, this.askedAt);
    const parts = changedParts(this.last, next);
    const events = eventsBetween(this.last, next, this.now());
    this.last = next;
    if (parts) this.listener.parts(parts);
    if (events.length === 0) return;
    this.listener.events(events);
    if (events.some(({ kind }) => kind === "failover")) this.restartCluster();
    this.soonAll();
  }

  private soonAll(): void {
    this.soon("all", async () => this.wake(), AFTER_CHANGE_MS);
  }

  /** Calls that come together count as one. A failure is followed by the next regular question. */
  private soon(what: string, action: () => Promise<void>, afterMs = TOGETHER_MS): void {
    if (this.waiting.has(what)) return;
    const start = (): void => {
      this.waiting.delete(what);
      action().catch(() => undefined);
    };
    this.waiting.set(what, setTimeout(start, afterMs));
  }
}
