// What a browser shows of a failover; `npm run e2e:view` looks at more stacks, the dark theme and the phone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible, patienceMs, skip, withBrowser, withPage } from "../support/view-in-browser";

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
