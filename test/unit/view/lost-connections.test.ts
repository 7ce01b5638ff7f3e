// What the page shows when connections are lost, in simulated time: each state is there within a second, or shown as not known.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { EventStream } from "../../../view/event-stream";
import { LiveView } from "../../../view/live-view";
import { withEvents, withParts } from "../../../view/picture/changes";
import { conditionOf } from "../../../view/picture/condition";
import type { Observed, ProbeSample, ViewEvent, ViewState } from "../../../view/picture/state";
import { topologyOf } from "../../../view/topology";
import { examplePlan } from "../../support/example-plans";
import { ScriptedStack } from "../../support/scripted-stack";

/** How late the page may show a change. */
const LIMIT_MS = 1_000;
const STEP_MS = 10;
const START_MS = Date.parse("2026-01-01T00:00:00Z");

interface Followed {
  readonly stack: ScriptedStack;
  readonly state: () => ViewState;
  readonly texts: () => readonly string[];
  readonly advance: (ms: number) => Promise<void>;
  /** How long it takes until the page shows it. */
  readonly until: (isShown: (state: ViewState) => boolean) => Promise<number>;
}

async function follow(name: string, action: (followed: Followed) => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START_MS });
  const clock = mock.method(performance, "now", () => Date.now() - START_MS);
  const stack = new ScriptedStack(examplePlan(name));
  let state: ViewState | undefined;
  const received: Readonly<Record<string, (data: never) => void>> = {
    state: (first: { readonly state: ViewState }) => {
      state = first.state;
    },
    parts: (parts: Partial<Observed>) => {
      state = state && withParts(state, parts);
    },
    events: (events: readonly ViewEvent[]) => {
      state = state && withEvents(state, events);
    },
  };
  const page = { send: (event: string, data: unknown) => received[event]?.(data as never), end: () => undefined };
  const live = new LiveView({ topology: topologyOf(stack.plan), source: stack, ask: () => askOf(stack) });
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      mock.timers.tick(STEP_MS);
      await settled();
    }
  };
  try {
    live.join(page as unknown as EventStream);
    await advance(5_000);
    assert.equal(state?.healthy, true);
    await action({
      ...{ stack, advance, state: () => state as ViewState },
      texts: () => (state as ViewState).events.map(({ kind, of, text }) => `${kind}: ${of} ${text}`),
      async until(isShown) {
        const began = Date.now();
        while (!isShown(state as ViewState) && Date.now() - began < 30_000) await advance(STEP_MS);
        return Date.now() - began;
      },
    });
  } finally {
    const closed = live.close();
    await advance(10_000);
    await closed;
    clock.mock.restore();
    mock.timers.reset();
  }
}

/** Promises that depend on each other need several turns. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function askOf(stack: ScriptedStack): Promise<Pick<ProbeSample, "outcome" | "tookMs">> {
  if (!stack.lost.has("api")) return { outcome: "answered", tookMs: 3 };
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { outcome: "unanswered", tookMs: 1_000 };
}

const conditionIn = (state: ViewState, name: string) => conditionOf(state, { name });
const holds = (name: string) => (state: ViewState) => state.holders.join() === name;

function assertSoon(what: string, tookMs: number): void {
  assert.ok(tookMs <= LIMIT_MS, `${what}: ${tookMs} ms`);
}

test("a balancer that is killed", () =>
  follow("lab", async ({ stack, until, texts }) => {
    stack.kill("balancer-1");
    assertSoon("the other holder", await until(holds("balancer-2")));
    assertSoon("its power", await until((state) => conditionIn(state, "balancer-1") === "down"));
    assert.ok(texts().includes("failover: floating IP moves from balancer-1 to balancer-2"), texts().join("\n"));
  }));

test("one slow answer of the hypervisor does not delay the next", () =>
  follow("lab", async ({ stack, advance, until }) => {
    stack.powerMs = 400;
    await advance(1_200);
    stack.powerMs = 0;
    stack.stopped.add("worker-1");
    assertSoon("its power", await until((state) => conditionIn(state, "worker-1") === "down"));
  }));

test("a balancer that loses its network and keeps its power", () =>
  follow("lab", async ({ stack, state, until, advance, texts }) => {
    stack.lost.add("balancer-1");
    await advance(700);
    stack.holder = "balancer-2";
    stack.tell();
    assertSoon("the other holder", await until(holds("balancer-2")));
    assertSoon("its silence", await until((now) => conditionIn(now, "balancer-1") === "silent"));
    assert.deepEqual(state().unknown, []);
    await advance(20_000);
    stack.lost.delete("balancer-1");
    const backMs = await until((now) => conditionIn(now, "balancer-1") === "healthy");
    assert.ok(backMs <= 7_000, `${backMs} ms`);
    assert.deepEqual(holdersTold(texts()), ["failover: floating IP moves from balancer-1 to balancer-2"]);
  }));

test("the way to any machine", () =>
  follow("lab", async ({ stack, state, until, texts }) => {
    for (const { name } of stack.plan.nodes.filter(({ roles }) => !roles.includes("gateway"))) {
      stack.lost.add(name);
      assertSoon(`${name} is silent`, await until((now) => conditionIn(now, name) === "silent"));
      stack.lost.delete(name);
      assertSoon(`${name} is back`, await until((now) => conditionIn(now, name) === "healthy"));
      assert.equal(state().unknown.length, 0);
    }
    assert.deepEqual(texts(), []);
  }));

test("the way to the machine that holds the floating IP: the holder is not known, and that is no news", () =>
  follow("lab", async ({ stack, state, until, texts }) => {
    stack.lost.add("balancer-1");
    assertSoon("not known", await until(({ unknown }) => unknown.includes("floating-ip")));
    assert.deepEqual(state().holders, []);
    stack.lost.delete("balancer-1");
    assertSoon("known again", await until(holds("balancer-1")));
    assert.deepEqual(texts(), []);
  }));

test("the gateway, which all connections pass", () =>
  follow("lab", async ({ stack, state, until, advance, texts }) => {
    stack.lost.add("gateway");
    const silent = (now: ViewState) => stack.plan.nodes.every(({ name }) => conditionIn(now, name) === "silent");
    assertSoon("all are silent", await until(silent));
    assert.deepEqual(
      state().unknown.filter((each) => each === "floating-ip" || each === "etcd"),
      ["floating-ip", "etcd"],
    );
    await advance(10_000);
    assert.deepEqual(holdersTold(texts()), []);
  }));

test("the way to the API: what it told is not known, and that is no news", () =>
  follow("lab", async ({ stack, state, until, advance, texts }) => {
    const { leaders } = state();
    stack.lost.add("api");
    assertSoon("not known", await until(({ api }) => !api.ready));
    assert.deepEqual(state().unknown, ["kube-scheduler", "kube-controller-manager", "nodes", "pods"]);
    await advance(10_000);
    stack.lost.delete("api");
    assertSoon("known again", await until(({ api, unknown }) => api.ready && unknown.length === 0));
    assert.deepEqual(state().leaders, leaders);
    await advance(10_000);
    assert.equal(state().api.ready, true, "an older question that ends late does not count");
    assert.deepEqual(
      texts().filter((text) => !text.includes(" api ")),
      [],
    );
  }));

/** Events about the floating IP. */
const holdersTold = (texts: readonly string[]): readonly string[] =>
  texts.filter((text) => text.includes("floating IP"));
