import { stopOrder } from "../../stop-order";
import { verifyNamespace } from "../acknowledged-writes";
import type { Fault } from "../fault";
import type { Laboratory } from "../laboratory";
import { lostWrites } from "./balancers";
import { back } from "./masters";

const AWAY_MS = 6_000;
const BACK_MS = 180_000;
const ORDERLY_MS = 60_000;
const IDLE_MS = 65_000;

/** What a node of a segment sees of another one in it, noted by itself: nobody can ask it while the gateway is away. */
const noteNeighbour = (url: string): string => `
mkdir -p /run/groundplane-verify
systemctl stop groundplane-verify-neighbour 2>/dev/null
systemd-run --quiet --collect --unit=groundplane-verify-neighbour /bin/bash -c '
  while :; do
    curl --silent --insecure --max-time 1 --output /dev/null ${url} && echo "$EPOCHREALTIME"
    sleep 0.1
  done >/run/groundplane-verify/neighbour'`;

const readNotes = "systemctl stop groundplane-verify-neighbour; cat /run/groundplane-verify/neighbour";

/** From a master, because the next one is in its own segment, and what masters say to each other is the cluster's life. */
export const gatewayKill: Fault = {
  name: "gateway-kill",
  what: "the gateway loses its cables, then its power, and comes back",
  measures: () => [
    {
      name: "segment-gap",
      what: "longest time without an answer of one master to another, which no gateway stands between",
      unit: "ms",
      target: 1_000,
    },
    { name: "passed", what: "answers to the host, which the gateway alone leads in", unit: "times", target: 0 },
    back("from the gateway's start until the host's port answers again", 30_000),
    lostWrites,
  ],
  impossible: ({ nodes }) =>
    nodes.filter(({ role }) => role === "master").length < 2 ? "it has one master only" : undefined,
  async run(lab) {
    const [watcher, neighbour] = lab.plan.nodes.filter(({ role }) => role === "master");
    if (!watcher || !neighbour) throw new Error("there are no two masters");
    await lab.must(watcher.name, noteNeighbour(`https://${neighbour.address}:${lab.plan.balancing.port}/readyz`));
    let returned = 0;
    let passed = 0;
    const observed = await lab.watch(
      "gateway",
      async () => {
        await lab.kill("gateway");
        await lab.pause(AWAY_MS);
        if (await answers(lab)) passed = 1;
        await lab.start("gateway");
        returned = await lab.until("the host's port answers again", BACK_MS, () => answers(lab));
      },
      2_000,
    );
    await lab.until(`${watcher.name} answers again`, 30_000, async () => {
      return (await lab.on(watcher.name, "true", 3_000)).code === 0;
    });
    const notes = await lab.must(watcher.name, readNotes);
    return [
      {
        values: { "segment-gap": longestGap(notes), passed, back: returned, "lost-writes": observed.lostWrites },
        timeline: observed.timeline,
      },
    ];
  },
};

const answers = (lab: Laboratory): Promise<boolean> =>
  lab.api.ask("GET", "/readyz").then(
    ({ status }) => status === 200,
    () => false,
  );

/** Between two moments that were noted, in ms. */
export function longestGap(notes: string): number {
  const moments = notes.split("\n").filter(Boolean).map(Number);
  const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] as number));
  return Math.round(Math.max(0, ...gaps) * 1_000);
}

/** A watch says nothing while nothing happens; whatever cuts silent connections would end it. */
export const idleStream: Fault = {
  name: "idle-stream",
  what: "a watch through the floating IP is silent for 65 s, then has something to say",
  measures: () => [{ name: "cut", what: "streams that were cut, or missed what happened", unit: "times", target: 0 }],
  impossible: () => undefined,
  async run(lab) {
    const name = `after-silence-${Date.now()}`;
    const collection = `/api/v1/namespaces/${verifyNamespace}/configmaps`;
    const stop = new AbortController();
    let heard = false;
    let failure: Error | undefined;
    const watch = lab.api.stream(
      `${collection}?watch=1&resourceVersion=0&fieldSelector=metadata.name%3D${name}`,
      (line) => {
        heard ||= line.includes(name);
      },
      stop.signal,
    );
    const watching = watch.catch((error: Error) => {
      failure = error;
    });
    try {
      await lab.pause(IDLE_MS);
      await lab.api.ask("POST", collection, { apiVersion: "v1", kind: "ConfigMap", metadata: { name } }, 5_000);
      await lab.pause(1_000);
    } finally {
      stop.abort();
      await watching;
    }
    return [{ values: { cut: heard && failure === undefined ? 0 : 1 } }];
  },
};

export const allStopped: Fault = {
  name: "all-stopped",
  what: "every machine is shut down in order, and started again",
  measures: () => [back("from the start until the API answers", 120_000), lostWrites],
  impossible: () => undefined,
  async run(lab) {
    const { plan, hypervisor } = lab;
    let returned = 0;
    const present = new Set(plan.nodes.map(({ name }) => name));
    const observed = await lab.watch(
      "all machines",
      async () => {
        for (const names of stopOrder(plan, present)) {
          await Promise.all(names.map((name) => hypervisor.stopMachine({ stack: plan.stack, name }, ORDERLY_MS)));
        }
        await lab.start(...present);
        returned = await lab.until("the API answers again", BACK_MS, () => answers(lab));
      },
      5_000,
    );
    return [{ values: { back: returned, "lost-writes": observed.lostWrites } }];
  },
};
