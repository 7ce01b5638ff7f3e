// The page in a real browser, with a stack that is scripted in this process and breaks under it. `npm run e2e:view` starts it; with
// GROUNDPLANE_SCREENSHOTS=FOLDER it keeps pictures.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import type { Page } from "playwright-core";
import {
  assertAccessible,
  breakHolder,
  keep,
  patienceMs,
  phone,
  skip,
  withBrowser,
  withPage,
} from "../support/view-in-browser";

withBrowser();

const conditionOf = (page: Page, machine: string) => page.getAttribute(`[data-machine="${machine}"]`, "data-condition");

const pillAt = (page: Page) =>
  page.$eval(".pill", (pill) => (pill as unknown as { style: { transform: string } }).style.transform);

test("the first paint takes at most a second, and the token leaves the address", { skip }, async () => {
  await withPage("lab", {}, async ({ page }) => {
    const paints: number[] = [];
    // On a host that does other work as well, the fastest tells what the page needs.
    for (let load = 0; load < 5 && !paints.some((ms) => ms <= 1_000); load++) {
      if (load > 0) await page.reload();
      await page.waitForSelector(".verdict", { timeout: patienceMs });
      paints.push(
        await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 9_999),
      );
    }
    assert.ok(Math.min(...paints) <= 1_000, `${paints} ms`);
    assert.equal(new URL(page.url()).hash, "");
    await page.reload();
    await page.waitForSelector(".verdict.healthy");
  });
});

for (const stack of ["lab", "production", "pair", "single"]) {
  test(`${stack}: a failover is seen, in light and dark`, { skip }, async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await withPage(stack, { colorScheme }, async ({ page, view }) => {
        const machines = view.stack.plan.nodes.map(({ name }) => name);
        assert.equal(await page.$$eval(".card", (cards) => cards.length), machines.length);
        await page.waitForTimeout(600);
        await assertAccessible(page, `${stack} ${colorScheme}`);
        await keep(page, `${stack}-healthy-${colorScheme}`);
        const before = await pillAt(page);
        const holder = view.stack.holder ?? "";
        view.probe.outcome = "unanswered";
        if (stack !== "single") view.stack.kill(holder);
        else view.stack.problems.set("gateway", { services: "kube-apiserver is not healthy" });
        await page.waitForTimeout(700);
        view.probe.outcome = "answered";
        if (stack !== "single") {
          await page.waitForSelector(`[data-machine="${holder}"][data-condition="down"]`, { timeout: patienceMs });
          assert.notEqual(await pillAt(page), before);
          await page.waitForSelector(".events .failover");
        }
        await page.waitForSelector(".outages >> text=without an answer at");
        await page.waitForTimeout(700);
        await keep(page, `${stack}-failover-${colorScheme}`);
        await assertAccessible(page, `${stack} ${colorScheme}, failover`);
      });
    }
  });
}

test("machines are chosen by mouse and keyboard, and show details and their journal", { skip }, async () => {
  await withPage("lab", {}, async ({ page, view }) => {
    await page.click('[data-machine="master-1"]');
    await page.waitForSelector(".details >> text=master-1");
    await page.click("text=Show the journal");
    await page.waitForSelector(".journal >> text=systemd");
    await assertAccessible(page, "details");
    await page.focus('[data-machine="worker-1"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector(".details >> text=worker-1");
    assert.equal(await page.getAttribute('[data-machine="worker-1"]', "aria-pressed"), "true");
    view.stack.cordoned.add("worker-1");
    view.stack.tell();
    await page.waitForSelector('[data-machine="worker-1"][data-condition="draining"]');
    assert.equal(await conditionOf(page, "worker-2"), "healthy");
  });
});

test("a fault is injected in the dark", { skip }, async () => {
  await withPage("lab", { colorScheme: "dark" }, (opened) => breakHolder(opened, "dark"));
});

test("the time line is saved as SVG and JSON", { skip }, async () => {
  await withPage("lab", {}, async ({ page }) => {
    await page.waitForTimeout(800);
    for (const [name, start] of [
      ["SVG", /^<svg /],
      ["JSON", /^\{\s+"stack": "lab"/],
    ] as const) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.click(`text=Save as ${name}`)]);
      assert.match(fs.readFileSync((await download.path()) ?? "", "utf8"), start);
    }
  });
});

test("a phone shows all machines without scrolling sideways", { skip }, async () => {
  await withPage("lab", { viewport: phone }, async ({ page }) => {
    const width = await page.evaluate<number>("document.documentElement.scrollWidth");
    assert.ok(width <= phone.width, `${width} px`);
    await page.waitForTimeout(400);
    await keep(page, "lab-phone-light");
    await assertAccessible(page, "phone");
  });
});

test("the switch changes the theme, and the page says when the view has ended", { skip }, async () => {
  await withPage("small", {}, async ({ page, view, problems }) => {
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.selectOption(".theme select", "dark");
    assert.notEqual(await background(), light);
    await view.server.close();
    await page.waitForSelector("text=no connection to the view");
    // The browser reports each connection that was refused.
    problems.length = 0;
  });
});
