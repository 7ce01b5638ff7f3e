import { script } from "../cloud-init/scripts/read-script";
import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import { closeGuests, forgetGuest } from "../guests/guest-ssh";
import type { InventoryEntry } from "../model/stack-outputs";
import { findNode } from "../model/stack-outputs";
import { apiClient } from "../verify/api-client";
import { askMachine, askOverOpenConnections, type StackToAsk } from "../verify/health/ask-stack";
import { askCluster, type ClusterState } from "../verify/health/cluster-state";
import type { MachineAnswers } from "../verify/health/findings";
import type { StackAnswers } from "../verify/health/health-rows";
import type { Question } from "../verify/health/questions";
import { followCluster } from "./follow-cluster";
import { lineReader } from "./line-reader";

export type Power = MachineAnswers["power"];

/** What the view asks of a stack. Tests have one that is scripted. */
export interface StackSource {
  readonly driver: string;
  /** All questions of `status`. */
  askAll(): Promise<StackAnswers>;
  askCluster(): Promise<ClusterState>;
  /** A few questions for one machine, with little patience. */
  askMachine(name: string, power: Power, questions: readonly Question[]): Promise<MachineAnswers>;
  power(name: string): Promise<Power>;
  /**
   * Calls back with a sign of life every 0.4 s, and when the answer to one of the questions may have changed. Ends with the connection
   * or the signal.
   */
  followMachine(
    name: string,
    questions: readonly Question[],
    onSign: (question?: Question) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Requests from a node to a Service and the volume: calls back with the lines of `probe.sh`. Ends with the connection or the signal. */
  probe(name: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;
  /** Calls back when Nodes, pods or leaders may have changed. Ends with the connection or the signal. */
  followCluster(onChange: () => void, signal: AbortSignal): Promise<void>;
  /** A connection that a machine's end has left open must not be used again. */
  forget(name: string): void;
  close(): Promise<void>;
}

const QUICK_MS = 1_500;

/** @param dnsService the address of the Service that is probed */
export function stackSource(stack: StackToAsk, dnsService: string): StackSource {
  const { outputs, driver } = stack;
  const api = apiClient(outputs.kubeconfig);
  const node = (name: string): InventoryEntry => findNode(outputs, name);
  return {
    driver: driver.name,
    askAll: () => askOverOpenConnections(stack),
    askCluster: () => askCluster(api),
    askMachine: (name, power, questions) => askMachine(node(name), outputs, power, questions, QUICK_MS),
    power: async (name) => (await driver.inspectMachine({ stack: stack.stack, name }))?.power ?? "absent",
    async followMachine(name, questions, onSign, signal) {
      const guest = await connectAnyGuest(connectionOf(node(name), outputs), { signal });
      const output = lineReader((line) => onSign(questions.find((each) => each === line)));
      const argv = ["/bin/bash", "-s", "--", ...questions];
      await guest.run(argv, { stdin: script("health/watch"), signal, output });
    },
    async probe(name, onLine, signal) {
      const guest = await connectAnyGuest(connectionOf(node(name), outputs), { signal });
      const argv = ["/bin/bash", "-s", "--", dnsService];
      await guest.run(argv, { stdin: script("health/probe"), signal, output: lineReader(onLine) });
    },
    followCluster: (onChange, signal) => followCluster(api, onChange, signal),
    forget: (name) => forgetGuest(connectionOf(node(name), outputs)),
    close: closeGuests,
  };
}
