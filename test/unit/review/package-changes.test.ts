import assert from "node:assert/strict";
import { test } from "node:test";
import { packageLockText } from "../../../model/package-lock";
import { compareRenderings } from "../../../review/compare-renderings";
import { imagesOfRoll } from "../../../review/image-rolls";
import { renderMarkdown } from "../../../review/render-markdown";
import { renderStack } from "../../../review/render-stack";
import { reviewChanges } from "../../../review/review-changes";
import { exampleText } from "../../support/example-stacks";
import { smallLock } from "../../support/small-lock";

function rendering(lock?: ReturnType<typeof smallLock>) {
  const text = exampleText("lab").replace("driver: auto", "driver: nspawn");
  const result = renderStack(text, "lab", "the file", lock && packageLockText(lock));
  if (!("rendering" in result)) throw new Error(result.problem);
  return result.rendering;
}

const [before, after] = [smallLock(), smallLock({ openssl: "1.0-2", chrony: "1.0-3" })];
const review = (one: ReturnType<typeof rendering>, other: ReturnType<typeof rendering>) => {
  const { changes, ...compared } = compareRenderings(one, other);
  return reviewChanges(changes, { stack: "lab", comparedWith: "main", counts: {}, ...compared });
};

test("another lock rolls the images, and the review names the packages", () => {
  const found = review(rendering(before), rendering(after));
  assert.deepEqual(found.packages, [
    { name: "chrony", from: "1.0-1", to: "1.0-3" },
    { name: "openssl", from: "1.0-1", to: "1.0-2" },
  ]);
  assert.ok(found.nodes.some(({ action }) => action === "roll"));
  const text = renderMarkdown(found);
  assert.match(text, /Packages of the images: `chrony` 1\.0-1 -> 1\.0-3, `openssl` 1\.0-1 -> 1\.0-2\.\n/);
  const rolls = found.nodes.flatMap(({ reasons }) => reasons.map(imagesOfRoll));
  assert.ok(rolls.some((roll) => roll?.after === rendering(after).nodes[0]?.images.tree));
});

test("without a lock on both sides, packages are unknown; without a change, nothing is said", () => {
  assert.equal(review(rendering(), rendering(after)).packages, undefined);
  assert.ok(review(rendering(), rendering(after)).nodes.length > 0, "a first lock is another image");
  const same = review(rendering(before), rendering(before));
  assert.equal(same.packages, undefined);
  assert.deepEqual(same.nodes, []);
  assert.doesNotMatch(renderMarkdown(same), /Packages/);
});

test("many packages are counted", () => {
  const packages = Array.from({ length: 40 }, (_, index) => ({ name: `p${index}`, from: "1", to: "2" }));
  const context = { stack: "lab", comparedWith: "x", refused: [], settings: [], counts: {}, unchangedNodes: 1 };
  assert.match(renderMarkdown(reviewChanges([], { ...context, packages })), /`p29` 1 -> 2 and 10 more\./);
  const one = [
    { name: "a", to: "1" },
    { name: "b", from: "1" },
  ];
  assert.match(renderMarkdown(reviewChanges([], { ...context, packages: one })), /`a` 1 is new, `b` 1 is removed\./);
});

test("a lock that does not fit is a problem of the revision", () => {
  const result = renderStack(exampleText("lab"), "lab", "the file", packageLockText(smallLock({}, "ubuntu")));
  assert.match("problem" in result ? result.problem : "", /does not fit[\s\S]*image update/);
  const broken = renderStack(exampleText("lab"), "lab", "the file", "{");
  assert.match("problem" in broken ? broken.problem : "", /stacks\/package-lock\.lab\.json cannot be used/);
});
