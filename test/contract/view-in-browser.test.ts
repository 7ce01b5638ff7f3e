// What a browser shows of a failover; `npm run e2e:view` looks at more stacks, the dark theme and the phone.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertAccessible,
  breakHolder,
  keep,
  patienceMs,
  skip,
  withBrowser,
  withPage,
} from "../support/view-in-browser";

withBrowser();

test("a browser shows the failover of a balancer, without errors, requests elsewhere and barriers", {
  skip,
}, async () => {
  await withPage("lab", {}, async ({ page, view }) => {
    assert.equal(await page.$$eval(".card", (cards) => cards.length), view.stack.plan.nodes.length);
    for (const target of ["API", "Service", "Volume"])
      await page.waitForSelector(`.lane[aria-label^="${target}, "]`, { timeout: patienceMs });
    view.stack.kill("balancer-1");
    await page.waitForSelector('[data-machine="balancer-1"][data-condition="down"]', { timeout: patienceMs });
    await page.waitForSelector(".events .failover", { timeout: patienceMs });
    await page.waitForSelector("text=held by balancer-2", { timeout: patienceMs });
    // What is not known is shown as such.
    view.stack.lost.add("balancer-2");
    await page.waitForSelector("text=floating IP: not known", { timeout: patienceMs });
    await assertAccessible(page, "not known");
  });
});

test("a fault is injected by keyboard: asked once, with what is expected before and what was measured after", {
  skip,
}, async () => {
  await withPage("lab", {}, (opened) => breakHolder(opened, "light"));
});

test("a protected stack offers no fault, and says why", { skip }, async () => {
  const refused = "lab is protected: its machines must not be broken. Next step: use another stack.";
  await withPage("lab", { refused }, async ({ page }) => {
    for (const machine of [undefined, "balancer-1", "master-1"]) {
      if (machine !== undefined) await page.click(`[data-machine="${machine}"]`);
      await page.waitForSelector(`.break-it >> text=${machine ?? "the stack"}`);
      await page.waitForSelector(".break-it >> text=lab is protected");
      assert.equal(await page.$$eval(".break-it button", (buttons) => buttons.length), 0);
    }
    await assertAccessible(page, "protected");
    await keep(page, "fault-protected");
  });
});
