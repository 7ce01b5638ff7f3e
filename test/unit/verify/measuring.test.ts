import assert from "node:assert/strict";
import { test } from "node:test";
import { makeNamespace } from "../../../verify/acknowledged-writes";
import type { ApiClient } from "../../../verify/api-client";
import { missingLines, parseWritten } from "../../../verify/faults/storage";
import { longestGap, momentsIn } from "../../../verify/guest-notes";
import { heldByNobody, heldTwice, parseHoldings } from "../../../verify/holding-notes";
import { busyShare } from "../../../verify/resting-host";
import { askRepeatedly, summarizeSamples } from "../../../verify/samples";
import { summarizeMeasure } from "../../../verify/statistics";

test("a gap lasts from the last good answer before it to the first one after it, by the times of the questions", () => {
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
      asked: 6,
      failed: 3,
      longestGapMs: 30,
      errors: { ECONNREFUSED: 1, timeout: 2 },
    },
  );
});

test("an outage that outlasts the watching counts to its end", () => {
  const sample = (startedMs: number, error?: string) => ({ startedMs, error });
  const seen = (...samples: Parameters<typeof summarizeSamples>[0]) => summarizeSamples(samples).longestGapMs;
  assert.equal(seen(sample(10), sample(20), sample(30, "timeout"), sample(90, "timeout")), 70);
  assert.equal(seen(sample(10, "timeout"), sample(90, "timeout")), 80);
  assert.equal(seen(), 0);
});

test("a namespace that is on its way out is waited for, because it takes no writes", async () => {
  const asked: string[] = [];
  const answers = [409, 200, 409, 404, 201];
  const api: ApiClient = {
    async ask(method) {
      asked.push(method);
      const going = { metadata: { deletionTimestamp: "2026-11-21T20:48:00Z" } };
      return { status: answers.shift() ?? 500, text: JSON.stringify(going) };
    },
    stream: () => Promise.reject(new Error("nobody streams")),
  };
  await makeNamespace(api);
  assert.deepEqual(asked, ["POST", "GET", "POST", "GET", "POST"]);
});

test("what keeps a namespace from being made is told", async () => {
  const api: ApiClient = {
    ask: async () => ({ status: 403, text: "forbidden" }),
    stream: () => Promise.reject(new Error("nobody streams")),
  };
  await assert.rejects(makeNamespace(api), /groundplane-verify cannot be made: forbidden/);
});

test("a service that hangs is not asked by ever more questions at once", async () => {
  let answer: (error: string | undefined) => void = () => undefined;
  const hanging = new Promise<string | undefined>((resolve) => {
    answer = resolve;
  });
  const watching = askRepeatedly(1, () => hanging);
  await new Promise((resolve) => setTimeout(resolve, 800));
  answer("too late");
  const { asked, failed } = await watching.stop();
  assert.ok(asked > 0 && asked <= 250, String(asked));
  assert.equal(failed, asked);
});

test("a host rests by what its processors did in between, not since it was started", () => {
  assert.equal(busyShare({ busyMs: 9_000, idleMs: 1_000 }, { busyMs: 9_500, idleMs: 2_500 }), 0.25);
  assert.equal(busyShare({ busyMs: 1, idleMs: 1 }, { busyMs: 1, idleMs: 1 }), 0);
});

test("a target is met by the 95th percentile of the rounds, not by their median", () => {
  const measure = { name: "api-gap", what: "", unit: "ms", target: 100 } as const;
  assert.deepEqual(
    [
      [90, 100, 80],
      [90, 101, 80],
    ].map((values) => summarizeMeasure("master-kill", measure, values).met),
    [true, false],
  );
  const { target: _, ...told } = measure;
  assert.equal(summarizeMeasure("master-kill", told, [1_000]).met, undefined);
});

test("the floating IP is held twice only while both have it, and by nobody while neither does", () => {
  const held = (fromMs: number, toMs: number) => ({ fromMs, toMs });
  assert.equal(heldTwice([[held(0, 100)], [held(100, 200)]]), 0);
  assert.equal(heldTwice([[held(0, 60), held(60, 130)], [held(100, 200)]]), 30);
  assert.equal(heldByNobody([[held(0, 60), held(400, 500)], [held(80, 390)]]), 30);
  assert.equal(heldByNobody([[held(0, 100)], [held(50, 200)]]), 0);
});

test("a balancer's notes tell when it had the floating IP, and no other address", () => {
  const notes = [
    "[2026-11-21T17:00:00.500000] 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
    "[2026-11-21T17:00:01.250000] Deleted 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
    "[2026-11-21T17:00:01.300000] 2: dmz    inet 192.168.56.100/24 scope global secondary dmz",
    "[2026-11-21T17:00:02.000000] 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
    "[2026-11-21T17:00:02.100000] 2: dmz    inet 192.168.56.10/24 scope global secondary dmz",
  ];
  const second = Date.parse("2026-11-21T17:00:00Z");
  assert.deepEqual(parseHoldings([...notes, `${second / 1_000 + 3} ended`, ""].join("\n"), "192.168.56.10"), [
    { fromMs: second + 500, toMs: second + 1_250 },
    { fromMs: second + 2_000, toMs: second + 3_000 },
  ]);
  assert.deepEqual(parseHoldings("1795280588.446 ended\n", "192.168.56.10"), []);
});

test("a gap between notes of a guest is told in ms", () => {
  assert.equal(longestGap(momentsIn("10.100000\n10.250000\n11.000000 ended\n")), 750);
});

test("a write to a volume waits until the next one is on disk, or for ever", () => {
  const { acknowledged, refused, longestMs } = parseWritten(
    "10.0 acknowledged 0\n10.2 acknowledged 1\n10.3 refused 2\n11.5 acknowledged 3\n12.0 ended\n",
  );
  assert.deepEqual(
    { acknowledged, refused, longestMs },
    { acknowledged: ["0", "1", "3"], refused: 1, longestMs: 1_300 },
  );
  assert.equal(parseWritten("10.0 acknowledged 0\n18.0 ended\n").longestMs, 8_000);
  assert.throws(() => parseWritten("10.0 refused 0\n18.0 ended\n"), /nothing could be written/);
});

test("a line that one copy lacks is lost, half a line of its number too", () => {
  assert.equal(missingLines(["0", "1", "2"], ["0\n1\n2\n3\n", "0\n1\n2\n"]), 0);
  assert.equal(missingLines(["0", "1", "12"], ["0\n1\n12\n", "0\n1"]), 1);
});
