/** The process of one client: it sends requests until it is asked to stop, then answers with what it saw, and ends. */
import { createObject } from "./acknowledged-writes";
import { apiClient } from "./api-client";
import { begunMessage, type ClientAnswer, type ClientOrder, sharedClockMs } from "./client-order";
import { prober } from "./probe-once";
import { probeRepeatedly } from "./samples";

/** Sends one request; the error, or undefined. */
type Send = () => Promise<string | undefined>;

const senders: {
  readonly [K in ClientOrder["does"]]: (order: Extract<ClientOrder, { does: K }>, names: string[]) => Send;
} = {
  read: ({ question }) => prober(question),
  write: ({ kubeconfig, series }, acknowledged) => {
    const api = apiClient(kubeconfig);
    let next = 0;
    return async () => {
      const name = `${series}-${next++}`;
      const error = await createObject(api, name);
      if (error === undefined) acknowledged.push(name);
      return error;
    };
  },
};

function work(order: ClientOrder): void {
  const acknowledged: string[] = [];
  const send = order.does === "read" ? senders.read(order, acknowledged) : senders.write(order, acknowledged);
  const probing = probeRepeatedly(order.intervalMs, send);
  process.send?.(begunMessage);
  process.once("message", async () => {
    const { samples } = await probing.stop();
    const shiftMs = sharedClockMs();
    const answer: ClientAnswer = {
      samples: samples.map(({ startedMs, error }) => ({ startedMs: startedMs + shiftMs, error })),
      acknowledged,
    };
    process.send?.(answer, undefined, undefined, () => process.exit());
  });
}

process.once("message", (order: ClientOrder) => work(order));
// Without the process that started it, no one asks it to stop. On Windows, Ctrl-C reaches both, and the other one still wants the answer.
process.once("disconnect", () => process.exit());
process.on("SIGINT", () => {});
