import assert from "node:assert/strict";
import { test } from "node:test";
import { createNamespace } from "../../../verify/acknowledged-writes";
import { heldTwiceMs, parseHoldings, unheldMs } from "../../../verify/address-holdings";
import type { ApiClient } from "../../../verify/api-client";
import { missingLines, parseWritten } from "../../../verify/faults/storage";
import { clientsOf, judgeClient } from "../../../verify/faults/witness";
import { longestGap, timesIn } from "../../../verify/guest-recordings";
import { busyShare, idleHost } from "../../../verify/idle-host";
import { probeRepeatedly, summarizeSamples } from "../../../verify/samples";
import { summarizeMeasure } from "../../../verify/statistics";
import { examplePlan } from "../../support/example-plans";

test("a gap lasts from the last success before it to the first success after it, by the start of the requests", () => {
  const sample = (startedMs: number, error?: string) => ({ startedMs, error });
  const seen = summarizeSamples([
    sample(40),
    sample(10),
    sample(20, "ECONNREFUSED"),
    sample(30, "timeout"),
    sample(45),
    sample(50, "timeout"),
  ]);
  assert.deepEqual(
    { ...seen, samples: seen.samples.map(({ startedMs }) => startedMs) },
    {
      samples: [10, 20, 30, 40, 45, 50],
      sent: 6,
      failed: 3,
      longestGapMs: 30,
      errors: { ECONNREFUSED: 1, timeout: 2 },
    },
  );
});

test("an outage that lasts until the end of the probe counts until then", () => {
  const sample = (startedMs: number, error?: string) => ({ startedMs, error });
  const seen = (...samples: Parameters<typeof summarizeSamples>[0]) => summarizeSamples(samples).longestGapMs;
  assert.equal(seen(sample(10), sample(20), sample(30, "timeout"), sample(90, "timeout")), 70);
  assert.equal(seen(sample(10, "timeout"), sample(90, "timeout")), 80);
  assert.equal(seen(), 0);
});

test("the creation of the namespace waits for a terminating one, which accepts no writes", async () => {
  const methods: string[] = [];
  const statuses = [409, 200, 409, 404, 201];
  const api: ApiClient = {
    async request(method) {
      methods.push(method);
      const terminating = { metadata: { deletionTimestamp: "2026-11-21T20:48:00Z" } };
      return { status: statuses.shift() ?? 500, text: JSON.stringify(terminating) };
    },
    stream: () => Promise.reject(new Error("unexpected stream")),
  };
  await createNamespace(api);
  assert.deepEqual(methods, ["POST", "GET", "POST", "GET", "POST"]);
});

test("the error says why the namespace cannot be created", async () => {
  const api: ApiClient = {
    request: async () => ({ status: 403, text: "forbidden" }),
    stream: () => Promise.reject(new Error("unexpected stream")),
  };
  await assert.rejects(createNamespace(api), /cannot create the namespace groundplane-verify: forbidden/);
});

test("the number of pending requests to a hanging service is limited", async () => {
  let finish: (error: string | undefined) => void = () => undefined;
  const hanging = new Promise<string | undefined>((resolve) => {
    finish = resolve;
  });
  const probe = probeRepeatedly(1, () => hanging);
  await new Promise((resolve) => setTimeout(resolve, 800));
  finish("too late");
  const { sent, failed } = await probe.stop();
  assert.ok(sent > 0 && sent <= 250, String(sent));
  assert.equal(failed, sent);
});

test("the busy share of a host covers the interval, not the time since boot", () => {
  assert.equal(busyShare({ busyMs: 9_000, idleMs: 1_000 }, { busyMs: 9_500, idleMs: 2_500 }), 0.25);
  assert.equal(busyShare({ busyMs: 1, idleMs: 1 }, { busyMs: 1, idleMs: 1 }), 0);
});

test("the target applies to the 95th percentile of the rounds, not to the median", () => {
  const measure = { name: "api-gap", what: "", unit: "ms", target: 100 } as const;
  assert.deepEqual(
    [
      [90, 100, 80],
      [90, 101, 80],
    ].map((values) => summarizeMeasure("master-kill", measure, values).met),
    [true, false],
  );
  const { target: _, ...reportedOnly } = measure;
  assert.equal(summarizeMeasure("master-kill", reportedOnly, [1_000]).met, undefined);
});

test("the floating IP is held twice while both balancers hold it, and unheld while neither does", () => {
  const held = (fromMs: number, toMs: number) => ({ fromMs, toMs });
  assert.equal(heldTwiceMs([[held(0, 100)], [held(100, 200)]]), 0);
  assert.equal(heldTwiceMs([[held(0, 60), held(60, 130)], [held(100, 200)]]), 30);
  assert.equal(unheldMs([[held(0, 60), held(400, 500)], [held(80, 390)]]), 30);
  assert.equal(unheldMs([[held(0, 100)], [held(50, 200)]]), 0);
});

test("a balancer's recording shows when it held the floating IP, and ignores other addresses", () => {
  const recording = [
    "[2026-11-21T17:00:00.500000] 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
    "[2026-11-21T17:00:01.250000] Deleted 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
    "[2026-11-21T17:00:01.300000] 2: dmz    inet 192.168.56.100/24 scope global secondary dmz",
    "[2026-11-21T17:00:02.000000] 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
    "[2026-11-21T17:00:02.100000] 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
  ];
  const second = Date.parse("2026-11-21T17:00:00Z");
  assert.deepEqual(parseHoldings([...recording, `${second / 1_000 + 3} ended`, ""].join("\n"), "192.168.56.10"), [
    { fromMs: second + 500, toMs: second + 1_250 },
    { fromMs: second + 2_000, toMs: second + 3_000 },
  ]);
  assert.deepEqual(parseHoldings("1795280588.446 ended\n", "192.168.56.10"), []);
});

test("a gap in a guest's recording is in ms", () => {
  assert.equal(longestGap(timesIn("10.100000\n10.250000\n11.000000 ended\n")), 750);
});

test("a write stall lasts until the next write is on disk, or until the end", () => {
  const { acknowledged, refused, longestMs } = parseWritten(
    "10.0 acknowledged 0\n10.2 acknowledged 1\n10.3 refused 2\n11.5 acknowledged 3\n12.0 ended\n",
  );
  assert.deepEqual(
    { acknowledged, refused, longestMs },
    { acknowledged: ["0", "1", "3"], refused: 1, longestMs: 1_300 },
  );
  assert.equal(parseWritten("10.0 acknowledged 0\n18.0 ended\n").longestMs, 8_000);
  assert.throws(() => parseWritten("10.0 refused 0\n18.0 ended\n"), /no write to the volume was acknowledged/);
});

test("a line that one copy lacks is lost, and so is a truncated line", () => {
  assert.equal(missingLines(["0", "1", "2"], ["0\n1\n2\n3\n", "0\n1\n2\n"]), 0);
  assert.equal(missingLines(["0", "1", "12"], ["0\n1\n12\n", "0\n1"]), 1);
});

test("masters that are balancers ask through the floating IP while the gateway is away, others ask each other", () => {
  const pair = examplePlan("pair");
  const urls = (plan: typeof pair) => clientsOf(plan, "v").map(({ reads }) => /https:\/\/[^/]+/.exec(reads)?.[0]);
  const own = `https://${pair.balancing.floatingIp}:${pair.balancing.port}`;
  assert.deepEqual(urls(pair), [own, own]);
  const [first, second, third] = examplePlan("lab").nodes.filter(({ roles }) => roles.includes("master"));
  assert.deepEqual(
    urls(examplePlan("lab")),
    [second, third, first].map((node) => `https://${node?.address}:6443`),
  );
  const names = clientsOf(pair, "v").map(({ writes }) => /name=(\S+)-\$/.exec(writes)?.[1]);
  assert.deepEqual(names, ["v-master-1", "v-master-2"]);
});

test("the gaps of a master's requests last until the end, and only its acknowledged writes count", () => {
  const seen = judgeClient("master-1", "10.0\n10.1\n11.0 ended\n", "10.0 v-0\n10.7 v-2\n11.0 ended\n");
  assert.deepEqual(seen, { acknowledged: ["v-0", "v-2"], readGap: 900, writeGap: 700 });
  assert.throws(() => judgeClient("master-1", "11.0 ended\n", "10.0 v-0\n11.0 ended\n"), /no request of master-1/);
  assert.throws(() => judgeClient("master-1", "10.0\n11.0 ended\n", "11.0 ended\n"), /no request of master-1/);
});

test("a host that other processes keep busy is waited for less and less, until it is idle once", async () => {
  const times = { busyMs: 0, idleMs: 0 };
  let isBusy = true;
  let pauses = 0;
  const pause = async (milliseconds: number) => {
    pauses++;
    times[isBusy ? "busyMs" : "idleMs"] += milliseconds;
  };
  const untilIdle = idleHost(() => ({ ...times }), pause);
  const waits = async () => {
    pauses = 0;
    await untilIdle(new AbortController().signal);
    return pauses;
  };
  const seconds = [await waits(), await waits(), await waits(), await waits()];
  assert.deepEqual(seconds, [30, 15, 8, 4]);
  isBusy = false;
  assert.equal(await waits(), 1);
  isBusy = true;
  assert.equal(await waits(), 30);
});
