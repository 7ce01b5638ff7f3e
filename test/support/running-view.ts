// The command `view` with a running stack, and a page of it that is open.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Page } from "playwright-core";
import type { FaultOrder, ProbeSample, Shown, ViewEvent, ViewState } from "../../view/picture/state";
import { patienceMs } from "./cluster-under-test";

/**
 * Until the fault that was ordered has begun. Some last three seconds, so it looks often. On a host whose processors are saturated, a stack may be
 * unhealthy for some time, so nothing is injected: the order is repeated.
 */
export async function untilBroken(view: View, order: FaultOrder): Promise<void> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const run = view.state()?.runs.at(-1);
    if (run?.phase === "broken") return;
    assert.ok(performance.now() < end, JSON.stringify(run));
    if (run?.phase === "ended") {
      assert.match(run.failed, /is unhealthy, so nothing was measured/);
      await sendOrder(view.address, order);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** As the page does. */
export async function sendOrder(address: string, order: FaultOrder): Promise<{ status: number; text: string }> {
  const { origin, hash } = new URL(address);
  const headers = { authorization: `Bearer ${hash.slice(1)}`, origin, "content-type": "application/json" };
  const response = await fetch(`${origin}/faults`, { method: "POST", headers, body: JSON.stringify(order) });
  const text = await response.text();
  return { status: response.status, text: response.ok ? "" : text.trim() };
}

export interface View {
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
export async function startView(folder: string, stack: string, env: NodeJS.ProcessEnv): Promise<View> {
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
    parts: (parts: Partial<Shown>) => {
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
export function processorMs(pid: number | undefined): number {
  const [, rest = ""] = /\) (.*)/.exec(fs.readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** For those who want to look: GROUNDPLANE_SCREENSHOTS names a folder. */
const pictures = process.env.GROUNDPLANE_SCREENSHOTS;

export const keepPicture = (address: string, name = "healthy"): Promise<void> =>
  inBrowser(address, async (page, keep) => {
    await page.waitForTimeout(4_000);
    await keep(name);
  });

/** A fault of the floating IP's holder by the buttons of the page. Without a browser, as the page sends it. */
export async function orderOnPage(address: string, holder: string, fault: string): Promise<void> {
  if (pictures === undefined) {
    assert.deepEqual(await sendOrder(address, { fault }), { status: 202, text: "" });
    return;
  }
  await inBrowser(address, async (page, keep) => {
    await page.waitForSelector(".verdict.healthy", { timeout: patienceMs });
    await page.click(`[data-machine="${holder}"]`);
    await page.click(`text=${fault}…`);
    await keep("dialog");
    await page.click("dialog button.danger");
    await page.waitForSelector("dialog", { state: "detached" });
  });
}

async function inBrowser(
  address: string,
  action: (page: Page, keep: (name: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  if (pictures === undefined) return;
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  await page.goto(address);
  await action(page, (name) => page.screenshot({ path: path.join(pictures, `running-${name}.png`), fullPage: true }));
  await browser.close();
}
