import assert from "node:assert/strict";
import { test } from "node:test";
import { summarizeSamples } from "../../../verify/samples";
import { noticedMoments, SERVICE, stepIn } from "../../support/noticed-moments";

const image = " ~  groundplane:index:NodeImage master-1-image";

const lines: readonly (readonly [line: string, step: string | undefined])[] = [
  [`${image} updating (0s) [diff: ~image]`, "master-1-image: updating"],
  [`${image} updating (7s) [diff: ~image]; master-1: draining`, "master-1: draining"],
  [`${image} updating (8s) [diff: ~image]; master-1: pod/page-9c97 evicted`, "master-1: draining"],
  [`${image} updating (9s) [diff: ~image]; master-1: 00:42:37 kubeadm: etcd`, "master-1: kubeadm: etcd"],
  [`${image} updating (9s) [diff: ~image]; master-1: booting (no route)`, undefined],
  [`${image} updating (9s) [diff: ~image]; master-2: booting`, undefined],
  [" ~  groundplane:index:ClusterObjects cluster-add-ons updating (0s) [diff: ~objects]", "cluster-add-ons: updating"],
  [`${image} updated (50s) [diff: ~image]; master-1: booting`, undefined],
  ["@ updating....", undefined],
];

test("lines of an up name its steps", () => {
  for (const [line, step] of lines) assert.equal(stepIn(line), step, line);
});

test("each gap and each failed request is listed with its step", () => {
  const at = (startedMs: number, error?: string) => ({ startedMs, error });
  const steps = [
    { startedMs: 1_000, what: "master-1: draining" },
    { startedMs: 2_000, what: "master-1: kubeadm: etcd" },
    { startedMs: 9_000, what: "worker-1: draining" },
  ];
  const api = [at(900), at(950), at(1_010), at(2_010), at(2_020, "timeout"), at(2_060), at(9_010), at(9_020)];
  const page = [at(900), at(9_015, "ECONNRESET"), at(9_016, "ECONNRESET"), at(9_025)];
  const clients = { API: summarizeSamples(api), page: summarizeSamples(page) };
  assert.deepEqual(noticedMoments(steps, clients, 500), [
    "after  step                     API                                                 page",
    "0.0 s  before the first step                                                        gap 8125 ms (8115 ms without a request)",
    "0.5 s  master-1: draining       gap 1000 ms (1000 ms without a request)",
    "1.5 s  master-1: kubeadm: etcd  gap 6950 ms (6950 ms without a request), 1 timeout",
    "8.5 s  worker-1: draining                                                           2 ECONNRESET",
  ]);
  assert.deepEqual(noticedMoments(steps, { API: summarizeSamples([at(1), at(2)]) }, 0), ["no client noticed a step"]);
});

test("of many steps the longest gaps are listed, and the others are counted", () => {
  const steps = Array.from({ length: 30 }, (_, index) => ({ startedMs: index * 1_000, what: `step ${index}` }));
  const samples = steps.flatMap(({ startedMs }, index) => [
    { startedMs, error: undefined },
    { startedMs: startedMs + 400 - index * 10, error: index === 3 || index === 29 ? "timeout" : undefined },
    { startedMs: startedMs + 999, error: undefined },
  ]);
  const lines = noticedMoments(steps, { API: summarizeSamples(samples) }, 0);
  assert.equal(lines.length, 1 + 20 + 1);
  assert.match(lines.join("\n"), /gap 999 ms \(629 ms without a request\), 1 timeout/);
  assert.equal(lines.at(-1), "10 more steps with shorter gaps, in which 0 requests failed");
  // None of these should fail, whatever else is listed.
  const failed = summarizeSamples([...samples, { startedMs: 2_001, error: "ECONNRESET" }]);
  const linesOf = (name: string) => noticedMoments(steps, { [name]: failed }, 0);
  assert.match(linesOf("API").at(-1) ?? "", /^10 more .* 1 requests failed$/);
  assert.match(linesOf(SERVICE).join("\n"), /step 2 .* 1 ECONNRESET\n/);
});
