/** The live page's server with a running stack: what it costs while nothing happens, and what it shows of a failover. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { Observed, ProbeSample, ViewEvent, ViewState } from "../../view/picture/state";
import { outagesIn } from "../../view/picture/time-line";
import { balancers, floatingIpHolder } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";

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

test("the page follows a running stack", { skip: nspawnSkipReason(), timeout: 15 * 60_000 }, async (t) => {
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

interface View {
  readonly process: ChildProcess;
  readonly address: string;
  readonly state: () => ViewState | undefined;
  readonly holderChanges: { readonly atMs: number; readonly to: readonly string[] }[];
  /** Requests to the API, and to a Service and the volume. */
  readonly samples: ProbeSample[];
  readonly others: ProbeSample[];
  readonly events: ViewEvent[];
}

/** The command, with a page that is open. */
async function startView(folder: string, stack: string, env: NodeJS.ProcessEnv): Promise<View> {
  const argv = [path.join(folder, "cli", "groundplane.cjs"), "view", "--stack", stack];
  const child = spawn(process.execPath, argv, { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    child.once("exit", (code) => reject(new Error(`it ended with code ${code}`)));
  });
  let state: ViewState | undefined;
  const holderChanges: { atMs: number; to: readonly string[] }[] = [];
  const samples: ProbeSample[] = [];
  const others: ProbeSample[] = [];
  const events: ViewEvent[] = [];
  const received: Readonly<Record<string, (data: never) => void>> = {
    state: (first: { readonly state: ViewState }) => {
      state = first.state;
    },
    parts: (parts: Partial<Observed>) => {
      if (state) state = { ...state, ...parts };
      if (parts.holders) holderChanges.push({ atMs: Date.now(), to: parts.holders });
    },
    samples: (more: readonly ProbeSample[]) => {
      samples.push(...more.filter(({ of }) => of === "api"));
      others.push(...more.filter(({ of }) => of !== "api"));
    },
    events: (more: readonly ViewEvent[]) => events.push(...more),
  };
  void follow(address, (event, data) => received[event]?.(JSON.parse(data) as never)).catch(() => undefined);
  return { process: child, address, state: () => state, holderChanges, samples, others, events };
}

async function follow(address: string, onEvent: (event: string, data: string) => void): Promise<void> {
  const { origin, hash } = new URL(address);
  const { body } = await fetch(`${origin}/changes`, { headers: { authorization: `Bearer ${hash.slice(1)}` } });
  let rest = "";
  for await (const part of body ?? []) {
    const all = (rest + Buffer.from(part as Uint8Array).toString("utf8")).split("\n\n");
    rest = all.pop() ?? "";
    for (const message of all) {
      const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(message) ?? [];
      if (event !== "") onEvent(event, data);
    }
  }
}

const TICK_MS = 10;

/** User and system time of a process. */
function processorMs(pid: number | undefined): number {
  const [, rest = ""] = /\) (.*)/.exec(fs.readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** For those who want to look: GROUNDPLANE_SCREENSHOTS names a folder. */
async function keepPicture(address: string, name = "healthy"): Promise<void> {
  const folder = process.env.GROUNDPLANE_SCREENSHOTS;
  if (folder === undefined) return;
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  await page.goto(address);
  await page.waitForTimeout(4_000);
  await page.screenshot({ path: path.join(folder, `running-${name}.png`), fullPage: true });
  await browser.close();
}
