// The page in a real browser, with a stack that is scripted in this process.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before } from "node:test";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { executablesOnPath } from "./programs-on-path";
import { type ViewUnderTest, viewUnderTest } from "./view-under-test";

const [program] = executablesOnPath("chromium", "chromium-browser", "google-chrome");
export const skip = program === undefined ? "no Chromium on this host" : false;
const pictures = process.env.GROUNDPLANE_SCREENSHOTS;

let browser: Browser;

/** Starts the browser before the tests of a file, and ends it after them. */
export function withBrowser(): void {
  before(async () => {
    if (program) browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });
  });
  after(() => browser?.close());
}

export interface Opened {
  readonly page: Page;
  readonly view: ViewUnderTest;
  /** What the browser reports: errors, refused resources, requests to other servers. */
  readonly problems: string[];
}

/** A browser without a graphics card draws with the processor, which others may use. */
export const patienceMs = 60_000;

const desk = { width: 1440, height: 1000 };
export const phone = { width: 390, height: 844 };

export async function withPage(
  stack: string,
  { viewport = desk, colorScheme = "light" as "light" | "dark", refused = "" },
  action: (opened: Opened) => Promise<void>,
): Promise<void> {
  const view = await viewUnderTest(stack, { refused });
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("request", (request) => {
      if (!request.url().startsWith(view.origin)) problems.push(`request to ${request.url()}`);
    });
    await page.goto(view.server.address);
    await page.waitForSelector(".verdict:not(.unknown)", { timeout: patienceMs });
    await action({ page, view, problems });
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
    await view.server.close();
  }
}

export async function keep(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  fs.mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

export async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    // Runs in the page.
    (
      globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
    ).axe.run(),
  );
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(found, [], what);
}

/** Moves the focus with the Tab key until it is on a button with this text. */
async function tabTo(page: Page, text: string): Promise<void> {
  const focused = () => page.evaluate<string>("document.activeElement?.textContent ?? ''");
  for (let presses = 0; presses < 80 && (await focused()) !== text; presses++) await page.keyboard.press("Tab");
  assert.equal(await focused(), text);
}

/** A fault of the holder by keyboard: asked once, with what is expected before and what was measured after. */
export async function breakHolder({ page, view }: Opened, colorScheme: string): Promise<void> {
  let end = (_?: unknown): void => {};
  view.faults.held = new Promise((resolve) => {
    end = resolve;
  });
  await page.waitForSelector("text=No fault breaks it now", { state: "detached" });
  await page.focus('[data-machine="balancer-1"]');
  await page.keyboard.press("Enter");
  await tabTo(page, "balancer-kill…");
  await page.keyboard.press("Enter");
  const dialog = await page.waitForSelector("dialog[open]");
  const said = (await dialog.textContent()) ?? "";
  for (const part of ["now balancer-1", "at most 1.00 s", "846 ms", "commit", "All machines are started"])
    assert.ok(said.includes(part), `${part}: ${said}`);
  await assertAccessible(page, `${colorScheme}, dialog`);
  await keep(page, `fault-dialog-${colorScheme}`);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { state: "detached" });
  assert.equal(await page.evaluate("document.activeElement?.textContent"), "balancer-kill…");
  assert.deepEqual(view.faults.injected, []);
  await page.keyboard.press("Enter");
  await tabTo(page, "Inject balancer-kill");
  await page.keyboard.press("Enter");
  await page.waitForSelector('.last-fault[data-phase="broken"]', { timeout: patienceMs });
  await page.waitForSelector('[data-machine="balancer-1"][data-condition="down"]', { timeout: patienceMs });
  await page.click('[data-machine="balancer-2"]');
  await page.waitForSelector(".break-it button:disabled >> text=planned-move…");
  assert.equal(await page.$$eval(".break-it button:enabled", (buttons) => buttons.length), 0);
  await keep(page, `fault-broken-${colorScheme}`);
  end();
  await page.waitForSelector('.last-fault[data-phase="ended"] >> text=✓ 846 ms', { timeout: patienceMs });
  await page.waitForSelector(".time-line .tested >> text=expected at most 1.00 s");
  await page.waitForSelector(".log .test >> text=everything is put back");
  await page.waitForSelector('[data-machine="balancer-1"][data-condition="healthy"]', { timeout: patienceMs });
  await assertAccessible(page, `${colorScheme}, measured`);
  await keep(page, `fault-measured-${colorScheme}`);
}
