import { holdersIn } from "../verify/health/balancing-answers";
import type { ClusterState } from "../verify/health/cluster-state";
import type { MachineAnswers } from "../verify/health/findings";
import type { StackAnswers } from "../verify/health/health-rows";
import type { Question } from "../verify/health/questions";
import type { Power } from "./stack-source";

/** Replaces a part of the answers by a newer one. */
export type Change = (answers: StackAnswers) => StackAnswers;

const ofMachine =
  (name: string, change: (machine: MachineAnswers) => MachineAnswers): Change =>
  (answers) => ({
    ...answers,
    machines: answers.machines.map((machine) => (machine.name === name ? change(machine) : machine)),
  });

/** A machine that is off answers nothing. One that runs again has not answered yet. */
export const withPower = (name: string, power: Power): Change =>
  ofMachine(name, (machine) => {
    const silence = power === "running" ? "it has just started" : `is ${power}`;
    return machine.power === power ? machine : { ...machine, power, answers: new Map(), silence };
  });

/** The answers to these questions; one that is missing is unknown now, whatever it was. */
export const withAnswers = (
  { name, answers, silence }: Pick<MachineAnswers, "name" | "answers" | "silence">,
  questions: readonly Question[],
): Change =>
  ofMachine(name, (machine) => {
    const all = new Map(machine.answers);
    for (const question of questions) {
      const answer = answers.get(question);
      if (answer) all.set(question, answer);
      else all.delete(question);
    }
    // The reason counts for answers that are missing.
    return { ...machine, answers: all, silence: answers.size < questions.length ? silence : machine.silence };
  });

/**
 * A balancer holds the floating IP. What the others said before may be outdated: it counts no more until they have answered again.
 */
export const withOneHolder =
  ({ name }: Pick<MachineAnswers, "name">, unanswered: ReadonlySet<string>): Change =>
  (answers) => {
    const former = holdersIn(answers.machines).filter((holder) => holder !== name && unanswered.has(holder));
    const silent = { answers: new Map(), silence: "has not answered again" };
    return former.reduce((all, holder) => withAnswers({ name: holder, ...silent }, ["floating-ip"])(all), answers);
  };

export const withCluster =
  (cluster: ClusterState, nowMs: number): Change =>
  (answers) => ({ ...answers, cluster, nowMs });

/**
 * Answers may end in another order than their questions began: one that waits for a lost connection must not replace what was asked
 * later.
 */
export class AnswerOrder {
  private begun = 0;
  private readonly newest = new Map<string, number>();

  /** Asks, and passes the answer on unless a later question about the same has been answered. */
  async ask<T>(about: string, ask: () => Promise<T>, onAnswer: (answer: T) => void): Promise<void> {
    const mine = ++this.begun;
    const answer = await ask();
    if (mine < (this.newest.get(about) ?? 0)) return;
    this.newest.set(about, mine);
    onAnswer(answer);
  }

  /** What was asked until now counts no more. */
  outdate(about: string): void {
    this.newest.set(about, ++this.begun);
  }
}
