import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRenderings } from "../../../review/compare-renderings";
import { changesOfPreview, type PulumiPreview } from "../../../review/from-preview";
import { renderMarkdown } from "../../../review/render-markdown";
import { renderStack, type StackRendering } from "../../../review/render-stack";
import { clusterObjectsEntry } from "../../../review/review";
import { reviewChanges } from "../../../review/review-changes";

const stackFile =
  "config:\n  groundplane:dataCenter:\n    driver: nspawn\n    pools: {masters: {count: 3}, workers: {count: 2}}\n";

function rendering(options = ""): StackRendering {
  const result = renderStack(`${stackFile}${options}`, "lab", "Pulumi.lab.yaml");
  assert.ok("rendering" in result, JSON.stringify(result));
  return result.rendering;
}
const context = { stack: "lab", comparedWith: "main", refused: [], settings: [], counts: {}, unchangedNodes: 0 };

test("a changed setting of the cluster's own objects is shown with its objects", () => {
  const { changes } = compareRenderings(rendering(), rendering("    options: {fastProbes: true}\n"));
  const objects = changes.find(({ node }) => node === clusterObjectsEntry);
  assert.deepEqual(objects?.reasons, ["Deployment kube-system/coredns"]);
  const text = renderMarkdown(reviewChanges(changes, context));
  assert.match(text, /`cluster objects` \| is changed in place \| Deployment kube-system\/coredns \| nothing \| low:/);
  assert.match(text, /\+ +periodSeconds: 1/);
});

test("a revision that applied its objects in another way is not compared with", () => {
  const { objects: _objects, ...former } = rendering();
  assert.deepEqual(compareRenderings(former, rendering()).changes, []);
});

test("the drift of objects in Pulumi's preview is shown, whatever the order of their fields", () => {
  const namespace = (labels: object) => ({ metadata: { name: "volumes", labels }, kind: "Namespace" });
  const step = (op: string, before: object | undefined, after: object): PulumiPreview => ({
    steps: [
      {
        op,
        urn: "urn:pulumi:lab::groundplane::groundplane:index:ClusterObjects::cluster-objects",
        ...(before && { oldState: { inputs: { objects: before } } }),
        newState: { inputs: { objects: after } },
      },
    ],
  });
  const after = { "Namespace volumes": { kind: "Namespace", metadata: { labels: {}, name: "volumes" } } };
  assert.deepEqual(changesOfPreview(step("update", { "Namespace volumes": namespace({}) }, after)).changes, []);
  assert.deepEqual(changesOfPreview(step("create", undefined, after)).changes, [], "part of a new cluster");
  assert.deepEqual(changesOfPreview(step("refresh", {}, after)).changes, []);
  const [missing] = changesOfPreview(step("update", {}, after)).changes;
  assert.deepEqual(missing?.reasons, ["Namespace volumes"]);
  assert.equal(missing?.files[0]?.before, undefined);
});
