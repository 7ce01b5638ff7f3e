import { forkProgram } from "../host/fork-program";
import type { Sample } from "../model/contract-report";
import { type ClientAnswer, type ClientOrder, sharedClockMs, stopMessage } from "./client-order";
import { type ProbeResult, summarizeSamples } from "./samples";

export interface ClientReport extends ProbeResult {
  readonly acknowledged: readonly string[];
}

export interface MeasuringClient {
  /** Fulfilled when it sends requests. */
  readonly begun: Promise<void>;
  /** Stops the client and returns what it saw. May be called again. Fails when its process has failed. */
  stop(): Promise<ClientReport>;
}

/**
 * Starts a client in a process of its own, because the caller's process is busy with faults and commands: a client that shared it would send nothing
 * meanwhile, which would count as a gap of the service.
 */
export function startClient(order: ClientOrder): MeasuringClient {
  const process = forkProgram("client");
  let begin: () => void = () => {};
  const answer = new Promise<ClientAnswer>((resolve, reject) => {
    process.onMessage((message) => {
      if (isAnswer(message)) resolve(message);
      else begin();
    });
    process.onEnd((how) => reject(new Error(`a client has ended: ${how}`)));
  });
  const begun = new Promise<void>((resolve, reject) => {
    begin = resolve;
    answer.catch(reject);
  });
  // `stop` reports the error of a failed process.
  begun.catch(() => {});
  process.send(order);
  let isAsked = false;
  return {
    begun,
    async stop() {
      await begun;
      if (!isAsked) process.send(stopMessage);
      isAsked = true;
      const { samples, acknowledged } = await answer;
      return { ...summarizeSamples(onOwnClock(samples)), acknowledged };
    },
  };
}

const isAnswer = (message: unknown): message is ClientAnswer => Object.hasOwn(message as object, "samples");

function onOwnClock(samples: readonly Sample[]): readonly Sample[] {
  const shiftMs = sharedClockMs();
  return samples.map(({ startedMs, error }) => ({ startedMs: startedMs - shiftMs, error }));
}
