import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRenderings } from "../../../review/compare-renderings";
import { changesOfPreview } from "../../../review/from-preview";
import { renderStack, type StackRendering } from "../../../review/render-stack";
import { reviewChanges } from "../../../review/review-changes";
import { exampleText } from "../../support/example-stacks";

function rendering(change: (text: string) => string): StackRendering {
  const result = renderStack(change(exampleText("lab")), "lab", "the file");
  assert.ok("rendering" in result, JSON.stringify(result));
  return result.rendering;
}

const context = { stack: "lab", comparedWith: "main", refused: [], settings: [], counts: {}, unchangedNodes: 0 };

test("the removal of all workers is a high risk, that of some is not", () => {
  const worker = (index: number, action: "remove" | "replace") => ({
    ...{ node: `worker-${index}`, roles: ["worker"] as const, action, reasons: [], files: [] },
  });
  const judged = (count: number, action: "remove" | "replace") =>
    reviewChanges([worker(1, action), worker(2, action)], { ...context, counts: { worker: count } }).nodes[0];
  assert.equal(judged(3, "remove")?.risk, "medium");
  for (const action of ["remove", "replace"] as const) {
    assert.deepEqual([judged(2, action)?.risk, judged(2, action)?.riskReason], ["high", "no worker remains"]);
  }
  assert.equal(judged(2, "remove")?.interruption.what, "all workloads");
  assert.equal(judged(2, "replace")?.interruption.what, "all workloads, until it is back");
});

test("less memory is a risk, also where machines keep running", () => {
  const settingOf = (from: number, to: number) => {
    const withMemory = (memoryMiB: number) => (text: string) =>
      text
        .replace("driver: auto", "driver: nspawn")
        .replace("workers: {count: 2}", `workers: {count: 2, memoryMiB: ${memoryMiB}}`);
    return compareRenderings(rendering(withMemory(from)), rendering(withMemory(to))).settings[0];
  };
  assert.deepEqual(
    [settingOf(4096, 2048)?.risk, settingOf(4096, 2048)?.effect],
    ["medium", "The pool's machines get it. Processes that do not fit any more are ended."],
  );
  assert.deepEqual([settingOf(2048, 4096)?.risk, settingOf(2048, 4096)?.class], ["none", "live"]);
});

test("nothing that holds data shrinks", () => {
  const withStorage = (driver: string, sizeGiB: number, volume: number) => (text: string) =>
    text
      .replace("driver: auto", `driver: ${driver}`)
      .replace("{name: brick, sizeGiB: 4}", `{name: brick, sizeGiB: ${sizeGiB}}`)
      .replace("workers: {count: 2}", `workers: {count: 2, volumes: {/var: ${volume}}}`);
  const refusedOn = (driver: string, size: number, volume: number) =>
    compareRenderings(rendering(withStorage(driver, 4, 10)), rendering(withStorage(driver, size, volume))).refused;
  assert.deepEqual(refusedOn("nspawn", 3, 9), [
    "storage-1-brick: a data disk cannot shrink (sizeGiB 4 -> 3); keep at least 4",
    "storage-2-brick: a data disk cannot shrink (sizeGiB 4 -> 3); keep at least 4",
    "storage-3-brick: a data disk cannot shrink (sizeGiB 4 -> 3); keep at least 4",
  ]);
  assert.deepEqual(refusedOn("qemu", 4, 9), [
    "worker-1: a volume cannot shrink (/var 10 -> 9); keep at least 10",
    "worker-2: a volume cannot shrink (/var 10 -> 9); keep at least 10",
  ]);
  assert.deepEqual(refusedOn("qemu", 5, 11), []);
});

test("the loss of data with a data disk is a high risk, whatever else changes", () => {
  const urn = (type: string, name: string) => `urn:pulumi:lab::groundplane::groundplane:index:${type}::${name}`;
  const machine = (disks: readonly string[]) => ({
    inputs: { driver: "nspawn", roles: ["worker"], disks: disks.map((disk) => ({ disk, mountPoint: "/data/x" })) },
  });
  const changesOf = (keep: boolean, op: string) =>
    changesOfPreview({
      steps: [
        op === "delete"
          ? { op, urn: urn("Machine", "worker-1"), oldState: machine(["worker-1-x"]) }
          : {
              ...{ op, urn: urn("Machine", "worker-1"), diffReasons: ["disks"] },
              ...{ oldState: machine(["worker-1-x"]), newState: machine([]) },
            },
        {
          ...{ op: "delete", urn: urn("Disk", "worker-1-x") },
          oldState: { inputs: { driver: "nspawn", name: "worker-1-x", keep } },
        },
      ],
    });
  for (const op of ["update", "delete"]) {
    const { changes } = changesOf(false, op);
    const [node] = reviewChanges(changes, { ...context, counts: { worker: 2 } }).nodes;
    assert.deepEqual([node?.risk, node?.riskReason], ["high", "the data of worker-1-x is deleted"]);
    const kept = reviewChanges(changesOf(true, op).changes, { ...context, counts: { worker: 2 } });
    assert.equal(kept.risk, "medium", "the disk is kept on the host");
  }
});

test("a comparison of configurations shows which data disks are deleted", () => {
  const withDisk = (keep: boolean, workers: string) => (text: string) =>
    `${text.replace("workers: {count: 2}", `workers: ${workers}`)}    options: {keepDataDisks: ${keep}}\n`;
  const riskOf = (keep: boolean, workers: string) => {
    const before = rendering(withDisk(keep, "{count: 2, disks: [{name: x, sizeGiB: 1}]}"));
    const compared = compareRenderings(before, rendering(withDisk(true, workers)));
    const { nodes } = reviewChanges(compared.changes, { ...context, ...compared, counts: { worker: 2 } });
    return nodes.filter(({ risk, roles }) => risk === "high" && roles.includes("worker")).map((one) => one.riskReason);
  };
  const fewer = "{count: 1, disks: [{name: x, sizeGiB: 1}]}";
  assert.deepEqual(riskOf(false, fewer), ["the data of worker-2-x is deleted"]);
  assert.deepEqual(
    riskOf(false, "{count: 2}"),
    ["1", "2"].map((one) => `the data of worker-${one}-x is deleted`),
  );
  assert.deepEqual(riskOf(true, fewer), []);
});
