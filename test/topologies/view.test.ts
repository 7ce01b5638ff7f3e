/** The live page's server with a running stack: what it costs while nothing happens, and what it shows of a failover. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ViewState } from "../../view/picture/state";
import { outagesIn } from "../../view/picture/time-line";
import { balancers, floatingIpHolder } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { keepPicture, orderOnPage, processorMs, sendOrder, startView, untilBroken } from "../support/running-view";

const settings = `driver: nspawn
pools:
  balancers: {count: 2}
  masters: {count: 1}
  workers: {count: 1}
  storage: {count: 1, disks: [{name: brick, sizeGiB: 1}]}
options: {fastProbes: true}
`;

/** Of one core, while a page is open and nothing happens. */
const IDLE_CORE = 0.05;
const IDLE_MS = 40_000;

test("the page follows a running stack", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = smallStack("view");
  const { cluster, project, driver, step } = stack;
  stack.configure(settings);
  await step(t, "the stack starts", stack.start);
  const view = await startView(project.folder, cluster.stack, project.environment);
  t.after(() => view.process.kill("SIGKILL"));

  await step(t, "it shows what is there", async () => {
    await eventually(
      "everything asked",
      patienceMs,
      async () => view.state(),
      (state) => Boolean(state?.askedAt),
    );
    const state = view.state() as ViewState;
    assert.deepEqual(state.holders, [await floatingIpHolder(stack, balancers)]);
    assert.deepEqual(state.leaders, {
      etcd: "master-1",
      "kube-scheduler": "master-1",
      "kube-controller-manager": "master-1",
    });
    await eventually("a healthy stack", patienceMs, async () => view.state()?.healthy, Boolean);
    await keepPicture(view.address);
  });

  await step(t, "a Service and the volume are probed from a worker", async (inner) => {
    const of = (target: string) => view.others.filter((sample) => sample.of === target);
    for (const target of ["service", "volume"])
      await eventually(
        target,
        patienceMs,
        async () => of(target).filter(({ outcome }) => outcome === "answered"),
        ({ length }) => length >= 20,
      );
    assert.equal(view.state()?.probedFrom, "worker-1");
    for (const target of ["service", "volume"]) {
      const took = of(target)
        .map(({ tookMs }) => tookMs)
        .sort((one, other) => one - other);
      inner.diagnostic(`${target}: ${took.length} requests, half of them within ${took[took.length >> 1]} ms`);
    }
  });

  await step(t, "it costs little while nothing happens", async (inner) => {
    const before = processorMs(view.process.pid);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const share = (processorMs(view.process.pid) - before) / IDLE_MS;
    inner.diagnostic(`${share.toFixed(3)} core`);
    assert.ok(share <= IDLE_CORE, `${share.toFixed(3)} core`);
  });

  await step(t, "it shows a failover within a second of its end", async (inner) => {
    const [holder = ""] = view.state()?.holders ?? [];
    const killedMs = Date.now();
    await driver.hardKill?.hardKill({ stack: cluster.stack, name: holder });
    const moved = () =>
      view.holderChanges.find(({ atMs, to }) => atMs > killedMs && to.length === 1 && to[0] !== holder);
    const shown = await eventually("the other holder", patienceMs, async () => moved(), Boolean);
    await eventually("an outage", patienceMs, async () => outagesIn(view.samples).at(-1), Boolean);
    await eventually(
      "answers again",
      patienceMs,
      async () => view.samples.at(-1)?.outcome,
      (last) => last !== "unanswered",
    );
    const outage = outagesIn(view.samples).find(({ toMs }) => toMs > killedMs);
    assert.ok(outage && shown);
    const delayMs = shown.atMs - outage.toMs;
    inner.diagnostic(`outage ${outage.toMs - outage.fromMs} ms, shown ${delayMs} ms after its end`);
    assert.ok(delayMs <= 1_000, `${delayMs} ms`);
    const power = () => view.events.find(({ of, text }) => of === holder && text === "is stopped");
    const told = await eventually("the power", patienceMs, async () => power(), Boolean);
    inner.diagnostic(`its power is shown ${(told?.atMs ?? 0) - killedMs} ms after the kill`);
    await keepPicture(view.address, "failover");
    await driver.startMachine({ stack: cluster.stack, name: holder });
    await stack.isHealthy();
  });

  await step(t, "a fault of the page is measured, shown and put back, while `verify` is refused", async (inner) => {
    const asked = () => floatingIpHolder(stack, balancers);
    const now = await eventually("one holder", patienceMs, asked, (name) => balancers.includes(name));
    await orderOnPage(view.address, now, "balancer-kill");
    await untilBroken(view, { fault: "balancer-kill" });
    const verify = await cluster.groundplane("verify", "--only", "planned-move");
    assert.notEqual(verify.exitCode, 0);
    assert.match(verify.stderr, /injects a fault into \S+ now/);
    assert.equal((await sendOrder(view.address, { fault: "planned-move" })).status, 409);
    const ended = await eventually(
      "the end",
      patienceMs,
      async () => view.state()?.runs.at(-1),
      (run) => run?.phase === "ended",
    );
    for (const { what, measured, expected } of ended?.figures ?? [])
      inner.diagnostic(`${what}: ${measured}, expected ${expected}`);
    assert.equal(ended?.failed, "");
    assert.deepEqual(
      ended?.figures.map(({ what }) => what),
      ["longest time without an API response", "lost acknowledged writes"],
    );
    assert.equal(ended?.figures[1]?.measured, "none");
    const told = view.events.filter(({ kind }) => kind === "test").map(({ text }) => text);
    assert.ok(
      told.some((text) => text.startsWith("measured longest time without an API response")),
      told.join("; "),
    );
    assert.ok(told.includes("has ended: everything is put back"), told.join("; "));
    await stack.isHealthy();
    await keepPicture(view.address, "measured");
  });

  await step(t, "a view that is killed leaves a fault that `status` names and `start` puts back", async () => {
    const other = await startView(project.folder, cluster.stack, project.environment);
    assert.equal((await sendOrder(other.address, { fault: "isolation" })).status, 202);
    await untilBroken(other, { fault: "isolation" });
    other.process.kill("SIGKILL");
    const status = await cluster.groundplane("status");
    assert.equal(status.exitCode, 1, status.stdout);
    assert.match(status.stdout, /killed while it injected isolation: `npx groundplane start/);
    mustSucceed("groundplane start", await cluster.groundplane("start"));
    await stack.isHealthy();
    const { stdout } = await cluster.groundplane("status");
    assert.doesNotMatch(stdout, /injected/);
  });

  await step(t, "Ctrl-C puts a fault back first", async () => {
    const other = await startView(project.folder, cluster.stack, project.environment);
    assert.equal((await sendOrder(other.address, { fault: "balancer-kill" })).status, 202);
    await untilBroken(other, { fault: "balancer-kill" });
    other.process.kill("SIGINT");
    const code = await new Promise((resolve) => other.process.once("exit", resolve));
    assert.equal(code, 0);
    const status = await cluster.groundplane("status");
    assert.doesNotMatch(status.stdout, / is stopped|injected/);
    await stack.isHealthy();
  });

  await step(t, "Ctrl-C ends it, and nothing of it stays on the machines", async () => {
    view.process.kill("SIGINT");
    const code = await new Promise((resolve) => view.process.once("exit", resolve));
    assert.equal(code, 0);
    // The brackets keep the pattern from finding the shell that has it in its arguments.
    const left = async () => {
      const { stdout } = await cluster.onNode("balancer-1", "pgrep --count --full '[m]onitor address'");
      return stdout.trim();
    };
    await eventually("an end of the watch", patienceMs, left, (count) => count === "0");
  });
});
