import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { runNodeProbe, sampleIn } from "../../../view/node-probe";
import type { ProbeSample } from "../../../view/picture/state";
import { examplePlan } from "../../support/example-plans";
import { ScriptedStack } from "../../support/scripted-stack";

test("a line of the script is a sample, by the clock of this host", () => {
  assert.deepEqual(sampleIn("service 120 4", 1_000), { of: "service", atMs: 880, outcome: "answered", tookMs: 4 });
  assert.deepEqual(sampleIn("volume 500 310", 1_000), { of: "volume", atMs: 500, outcome: "late", tookMs: 310 });
  assert.deepEqual(sampleIn("volume 1100 -", 2_000), { of: "volume", atMs: 900, outcome: "unanswered", tookMs: 0 });
  for (const line of [".", "", "bash: warning", "api 1 2", "service -1 2"]) assert.equal(sampleIn(line, 0), undefined);
});

test("another worker takes over from one that is silent, and meanwhile nothing is probed", async () => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const stack = new ScriptedStack(examplePlan("lab"));
  const samples: ProbeSample[] = [];
  const nodes: (string | undefined)[] = [];
  const end = new AbortController();
  const candidates = () => ["worker-1", "worker-2"].filter((name) => !stack.stopped.has(name));
  const ended = runNodeProbe(
    {
      ...{ source: stack, candidates },
      onSample: (sample) => samples.push(sample),
      onNode: (name) => nodes.push(name),
    },
    end.signal,
  );
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      mock.timers.tick(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  try {
    await advance(1_000);
    assert.deepEqual(new Set(samples.map(({ of }) => of)), new Set(["service", "volume"]));
    stack.stopped.add("worker-1");
    await advance(4_000);
    assert.deepEqual(nodes, ["worker-1", undefined, "worker-2"]);
    assert.deepEqual(stack.probed, ["worker-1", "worker-2"]);
    end.abort();
    await advance(1_000);
    await ended;
    assert.equal(nodes.at(-1), undefined);
    assert.equal(stack.following.size, 0);
  } finally {
    mock.timers.reset();
  }
});
