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
export const withAnswers = ({ name, answers, silence }: MachineAnswers, questions: readonly Question[]): Change =>
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

export const withCluster =
  (cluster: ClusterState, nowMs: number): Change =>
  (answers) => ({ ...answers, cluster, nowMs });
