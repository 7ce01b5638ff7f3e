import assert from "node:assert/strict";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { forgetMarks, keepMarks, restoreMarks } from "../../../../provider/resources/kept-marks";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { ownDataFolder } from "../../../support/own-data-folder";

ownDataFolder();
const context = { signal: new AbortController().signal } as Context;

/** A master whose cluster has this Node, or none. Returns the patches that it gets. */
function master(node: object | undefined): { readonly guest: Guest; readonly patches: unknown[] } {
  const patches: unknown[] = [];
  const guest = {
    async run(argv: readonly string[], { stdin }: { readonly stdin?: string } = {}) {
      if (argv.includes("patch")) patches.push(JSON.parse(String(stdin)));
      return { code: 0, stdout: argv.includes("get") && node ? JSON.stringify(node) : "", stderr: "" };
    },
  } as unknown as Guest;
  return { guest, patches };
}

const own = { key: "dedicated", value: "gpu", effect: "NoSchedule" };
const cordon = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const before = {
  metadata: { labels: { "kubernetes.io/os": "linux", zone: "a" }, annotations: { note: "keep\nme" } },
  spec: { taints: [own, cordon] },
};
const young = {
  metadata: { labels: { "kubernetes.io/os": "linux" } },
  spec: { taints: [{ key: "x", effect: "NoExecute" }] },
};

test("a Node that joined again gets what it lacks, and nothing that Kubernetes sets", async () => {
  await keepMarks(master(before).guest, "lab", "worker-1", context);
  // A later attempt sees the young Node, or none, and keeps what the first one has seen.
  await keepMarks(master(young).guest, "lab", "worker-1", context);
  const { guest, patches } = master(young);
  await restoreMarks(guest, "lab", "worker-1", context);
  assert.deepEqual(patches, [
    {
      metadata: { labels: { zone: "a" }, annotations: { note: "keep\nme" } },
      spec: { taints: [{ key: "x", effect: "NoExecute" }, own] },
    },
  ]);
  const again = master(before);
  await restoreMarks(again.guest, "lab", "worker-1", context);
  assert.deepEqual(again.patches, [], "it has all of it");
  await forgetMarks("lab", "worker-1");
  const forgotten = master(young);
  await restoreMarks(forgotten.guest, "lab", "worker-1", context);
  assert.deepEqual(forgotten.patches, []);
});

test("a Node that a user has cordoned is cordoned again, and one that only the roll has cordoned is not", async () => {
  const cordoned = { ...before, spec: { ...before.spec, unschedulable: true } };
  await keepMarks(master(cordoned).guest, "lab", "worker-3", context);
  const { guest, patches } = master(before);
  await restoreMarks(guest, "lab", "worker-3", context);
  assert.deepEqual(patches, [{ metadata: { labels: {}, annotations: {} }, spec: { unschedulable: true } }]);
  await keepMarks(master(before).guest, "lab", "worker-4", context);
  const other = master(before);
  // A later attempt sees the cordon of the first one.
  await keepMarks(master(cordoned).guest, "lab", "worker-4", context);
  await restoreMarks(other.guest, "lab", "worker-4", context);
  assert.deepEqual(other.patches, []);
});

test("a Node that is not in the cluster has nothing to keep", async () => {
  await keepMarks(master(undefined).guest, "lab", "worker-2", context);
  await keepMarks(master(before).guest, "lab", "worker-2", context);
  const { guest, patches } = master(young);
  await restoreMarks(guest, "lab", "worker-2", context);
  assert.equal(patches.length, 1);
});
