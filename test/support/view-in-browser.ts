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
  { viewport = desk, colorScheme = "light" as "light" | "dark" },
  action: (opened: Opened) => Promise<void>,
): Promise<void> {
  const view = await viewUnderTest(stack);
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
