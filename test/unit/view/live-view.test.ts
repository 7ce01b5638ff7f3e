import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventStream } from "../../../view/event-stream";
import { LiveView } from "../../../view/live-view";
import { topologyOf } from "../../../view/topology";
import { examplePlan } from "../../support/example-plans";
import { ScriptedStack } from "../../support/scripted-stack";

function makePage() {
  const seen: string[] = [];
  const stream = { send: (event: string) => void seen.push(event), end: () => void seen.push("end") };
  return { seen, stream: stream as unknown as EventStream };
}

test("a page that connects while the view closes gets an end, and asks the stack nothing", async () => {
  const stack = new ScriptedStack(examplePlan("lab"));
  const ask = async () => ({ outcome: "answered", tookMs: 1 }) as const;
  const live = new LiveView({ topology: topologyOf(stack.plan), source: stack, ask });
  const [first, again] = [makePage(), makePage()];
  live.join(first.stream);
  const asked = stack.asked;
  const closing = live.close();
  live.leave(first.stream);
  live.join(again.stream);
  live.leave(again.stream);
  await closing;
  assert.equal(asked, 1);
  assert.equal(stack.asked, asked);
  assert.equal(stack.following.size, 0);
  assert.equal(first.seen.at(-1), "end");
  assert.deepEqual(again.seen, ["end"]);
});
