import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOfPreview } from "../../../review/from-preview";
import type { PreviewStep } from "../../../review/preview-steps";
import { renderMarkdown } from "../../../review/render-markdown";
import { reviewChanges } from "../../../review/review-changes";

const step = (type: string, name: string, op: string, before?: object, after: object = before ?? {}): PreviewStep => ({
  op,
  urn: `urn:pulumi:lab::groundplane::groundplane:index:${type}::${name}`,
  ...(before && { oldState: { inputs: { ...before } } }),
  newState: { inputs: { ...after } },
});
const machine = (name: string, image = "a") =>
  step("Machine", name, "refresh", { driver: "nspawn", roles: ["worker"], image });

const measured = (name: string, median: number) => ({ name, median, p95: median, commit: "0123456789" });
const bench = [
  ...[measured("roll-storage", 20.2), measured("roll-master", 58.7), measured("roll-master-gap", 372)],
  ...[measured("upgrade-lab", 292.7), measured("upgrade-gap", 372)],
];

const review = (...steps: readonly PreviewStep[]) => {
  const { changes, counts, ...rest } = changesOfPreview({ steps });
  return reviewChanges(changes, { stack: "lab", comparedWith: "the stack", counts, ...rest, bench });
};

/** The part of the Markdown about the order. */
const orderIn = (markdown: string): string => /\n(?:These nodes get|This node gets)[\s\S]*/.exec(markdown)?.[0] ?? "";

test("a preview lists the nodes that get another image, and what is away meanwhile", () => {
  const { nodes, risk } = review(
    ...["worker-1", "worker-2"].map((name) => machine(name)),
    step("NodeImage", "worker-1-image", "update", { image: "a" }, { image: "b" }),
  );
  assert.deepEqual(
    nodes.map(({ node, action, reasons, interruption, risk }) => ({ node, action, reasons, interruption, risk })),
    [
      {
        ...{ node: "worker-1", action: "roll", reasons: ["image: a -> b"], risk: "low" },
        interruption: { what: "its pods, until they run on other workers" },
      },
    ],
  );
  assert.equal(risk, "low");
});

test("the only node of its role takes its service with it", () => {
  const only = review(
    machine("worker-1"),
    step("NodeImage", "worker-1-image", "update", { image: "a" }, { image: "b" }),
  );
  assert.equal(only.risk, "high");
  assert.match(
    renderMarkdown(only),
    /`worker-1` \| gets another image \| image: a -> b \| all workloads, until it is back/,
  );
});

test("a stack of an earlier version, an interrupted roll, and a node that keeps its image", () => {
  const adopted = (image: string, keeps?: string) =>
    review(
      machine("worker-1"),
      step("NodeImage", "worker-1-image", "create", undefined, { image, ...(keeps && { keeps }) }),
    );
  assert.deepEqual(adopted("a").nodes, []);
  assert.deepEqual(adopted("b").nodes[0]?.reasons, ["image: a -> b"]);
  assert.deepEqual(adopted("b", "it has the data of etcd").nodes, []);
  const interrupted = step("NodeImage", "worker-1-image", "update", { image: "b", settled: false }, { image: "b" });
  assert.deepEqual(review(machine("worker-1"), interrupted).nodes[0]?.reasons, ["image: b, interrupted before"]);
  const created = review(
    step("Machine", "worker-2", "create", undefined, { roles: ["worker"], image: "b" }),
    step("NodeImage", "worker-2-image", "create", undefined, { image: "b" }),
  );
  assert.deepEqual(
    created.nodes.map(({ node, action }) => [node, action]),
    [["worker-2", "create"]],
  );
});

test("a preview names the order, and what etcd lacks meanwhile", () => {
  const roles = { "worker-1": ["worker"], "worker-2": ["worker"], "storage-1": ["storage"], "storage-2": ["storage"] };
  const masters = Object.fromEntries([1, 2, 3].map((index) => [`master-${index}`, ["master", "etcd"]]));
  const all = Object.entries({ ...roles, ...masters });
  const rolled = review(
    ...all.map(([name, of]) => step("Machine", name, "refresh", { driver: "nspawn", roles: of, image: "a" })),
    ...all.map(([name]) => step("NodeImage", `${name}-image`, "update", { image: "a" }, { image: "b" })),
  );
  assert.equal(
    orderIn(renderMarkdown(rolled)),
    `
These nodes get another image, one after the other, in this order:

1. \`storage-1\`, \`storage-2\`: each about 20 s (roll-storage at 0123456)
2. \`master-1\`, \`master-2\`, \`master-3\`: each about 59 s, with API gaps of at most 372 ms (roll-master at 0123456)
3. \`worker-1\`, \`worker-2\`: each not measured

In total: about 217 s, without 2 of 7 nodes, which are not measured. Measured in system containers of \`lab\` and \`small\`, with an image of the same release.

`,
  );
  assert.deepEqual(rolled.roll, { seconds: 217, unmeasuredNodes: 2 });
  const master = rolled.nodes.find(({ node }) => node === "master-1");
  assert.deepEqual(
    [master?.risk, master?.interruption.what],
    ["medium", "open connections to its API server, writes, while etcd elects another leader, if it leads"],
  );
  assert.match(String(master?.riskReason), /^etcd has 2 of 3 members meanwhile/);
});

test("a preview names a node whose certificates are overdue", () => {
  const files = { files: [] };
  const { nodes } = review(
    machine("worker-1"),
    step("NodeFiles", "worker-1-files", "update", { ...files, overdue: ["/a.crt"] }, files),
  );
  assert.deepEqual(
    nodes.map(({ node, action, reasons }) => ({ node, action, reasons })),
    [{ node: "worker-1", action: "update", reasons: ["certificates are renewed"] }],
  );
});

test("a preview names the workers that change at the same time", () => {
  const names = ["worker-1", "worker-2", "worker-3", "worker-4", "storage-1"];
  const others: Readonly<Record<string, readonly string[]>> = {
    "worker-1": ["worker-2"],
    "worker-2": ["worker-1"],
    "worker-3": ["worker-4", "worker-5"],
    "worker-4": ["worker-3", "worker-5"],
  };
  const ofAll = (rolled: readonly string[]) =>
    review(
      ...names.map((name) =>
        step("Machine", name, "refresh", { driver: "nspawn", roles: [name.split("-")[0]], image: "a" }),
      ),
      ...rolled.map((name) =>
        step("NodeImage", `${name}-image`, "update", { image: "a" }, { image: "b", alongside: others[name] }),
      ),
    );
  const all = ofAll(names);
  assert.match(
    renderMarkdown(all),
    /get another image in this order:\n\n1\. `storage-1`: not measured .*\n2\. `worker-1` with `worker-2`, `worker-3` with `worker-4`: each not measured \(several at a time\)\n/,
  );
  const third = all.nodes.find(({ node }) => node === "worker-3");
  assert.deepEqual(third?.alongside, ["worker-4"], "the others of its turn have the image already");
  assert.match(String(third?.riskReason), /^2 workers at a time, with health checks/);
  assert.match(
    renderMarkdown(ofAll(["worker-1", "worker-3"])),
    /one after the other, in this order:\n\n1\. `worker-1`, `worker-3`: each not measured\n/,
  );
});

test("the order of the rolls is that of the plan, whatever the order of Pulumi's steps", () => {
  const names = ["worker-1", "master-10", "master-1", "master-2", "storage-1"];
  const text = renderMarkdown(
    review(
      ...names.map((name) =>
        step("Machine", name, "refresh", { driver: "nspawn", roles: [name.split("-")[0]], image: "a" }),
      ),
      ...names.map((name) => step("NodeImage", `${name}-image`, "update", { image: "a" }, { image: "b" })),
    ),
  );
  assert.match(
    text,
    /in this order:\n\n1\. `storage-1`: .*\n2\. `master-1`, `master-2`, `master-10`: .*\n3\. `worker-1`: /,
  );
});

test("an upgrade has the figures of an upgrade as a whole, beside those of its nodes within a release", () => {
  const names = ["master-1", "master-2", "master-3"];
  const roles = ["master", "etcd"];
  const image = (name: string) =>
    step("NodeImage", `${name}-image`, "update", { image: "a", release: "1.0.0" }, { image: "b", release: "1.1.0" });
  const { roll, ...rest } = review(
    ...names.map((name) => step("Machine", name, "refresh", { driver: "nspawn", roles, image: "a" })),
    ...names.map(image),
  );
  assert.equal(roll?.upgrade?.duration?.seconds, 293);
  assert.match(
    orderIn(renderMarkdown({ ...rest, ...(roll && { roll }) })),
    /same release\. An upgrade takes more than its nodes; that of `lab` in system containers: about 293 s, with API gaps of at most 372 ms \(upgrade-lab at 0123456\)\.\n/,
  );
});

test("figures are not shown for nodes that differ from the measured ones", () => {
  const roles = ["storage"];
  const names = ["storage-1", "storage-2"];
  const { nodes } = review(
    ...names.map((name) => step("Machine", name, "refresh", { driver: "qemu", roles, image: "a" })),
    step("NodeImage", "storage-1-image", "update", { image: "a" }, { image: "b", unlike: "on the driver qemu" }),
  );
  const [node] = nodes;
  assert.deepEqual(node?.figures, { unmeasured: "on the driver qemu" });
  const gateway = (unlike?: string) =>
    review(
      step("Machine", "gateway", "refresh", { driver: "nspawn", roles: ["gateway"], image: "a" }),
      step("NodeImage", "gateway-image", "update", { image: "a" }, { image: "b", ...(unlike && { unlike }) }),
    ).nodes[0]?.interruption.longestMs;
  assert.deepEqual([gateway("on the driver qemu"), typeof gateway()], [undefined, "number"]);
});

test("one node that gets another image has its figures", () => {
  const only = review(
    ...["storage-1", "storage-2"].map((name) =>
      step("Machine", name, "refresh", { driver: "nspawn", roles: ["storage"], image: "a" }),
    ),
    step("NodeImage", "storage-1-image", "update", { image: "a" }, { image: "b" }),
  );
  assert.match(
    orderIn(renderMarkdown(only)),
    /^\nThis node gets another image:\n\n1\. `storage-1`: about 20 s \(roll-storage at 0123456\)\n\nIn total: about 20 s\./,
  );
});
