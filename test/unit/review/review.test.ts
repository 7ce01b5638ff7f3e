import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "../../../model/roles";
import { compareRenderings } from "../../../review/compare-renderings";
import { changesOfPreview } from "../../../review/from-preview";
import { commentLimit, renderMarkdown } from "../../../review/render-markdown";
import { renderStack, type StackRendering } from "../../../review/render-stack";
import type { NodeChange } from "../../../review/review";
import { reviewChanges, textDiff } from "../../../review/review-changes";
import { readRendering } from "../../../review/revision";
import { exampleText } from "../../support/example-stacks";

function rendering(change: (text: string) => string = (text) => text): StackRendering {
  const result = renderStack(change(exampleText("lab")), "lab", "the file");
  assert.ok("rendering" in result, JSON.stringify(result));
  return result.rendering;
}

const actions = (changes: readonly NodeChange[]) =>
  Object.fromEntries(changes.filter(({ files }) => files.length === 0).map(({ node, action }) => [node, action]));

test("texts are compared as a unified diff with context and line numbers", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");
  assert.equal(textDiff(lines(9), lines(9)), "");
  assert.equal(textDiff(undefined, "a\n"), "@@ -0,0 +1,1 @@\n+a\n");
  assert.equal(textDiff("a\n", undefined), "@@ -1,1 +0,0 @@\n-a\n");
  const expected = "@@ -2,7 +2,7 @@\n line 2\n line 3\n line 4\n-line 5\n+changed\n line 6\n line 7\n line 8\n";
  assert.equal(textDiff(lines(9), lines(9).replace("line 5", "changed")), expected);
  assert.equal(textDiff("a\nb\nc\n", "b\nc\nd\n", 0), "@@ -1,1 +0,0 @@\n-a\n@@ -3,0 +3,1 @@\n+d\n");
  // A missing line end at the end of a file is also a difference.
  assert.equal(textDiff("a", "a\n"), "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
});

test("a stack compared with itself does not change, and a new stack is created", () => {
  assert.deepEqual(compareRenderings(rendering(), rendering()).changes, []);
  const { changes, refused } = compareRenderings(undefined, rendering());
  assert.ok(changes.length === 11 && changes.every(({ action }) => action === "create"));
  assert.deepEqual(refused, []);
});

test("replaced machines are recreated, and the guard's refusals are listed", () => {
  const moved = compareRenderings(
    rendering(),
    rendering((text) => text.replace("192.168.56.0/21", "192.168.64.0/21")),
  );
  assert.equal(actions(moved.changes)["master-1"], "replace");
  assert.equal(moved.refused.length, 4);
  assert.match(String(moved.refused[0]), /^network\.cidr: 192\.168\.56\.0\/21 cannot become 192\.168\.64\.0\/21: /);
  const fewer = compareRenderings(
    rendering(),
    rendering((text) => text.replace("masters: {count: 3}", "masters: {count: 1}")),
  );
  assert.equal(actions(fewer.changes)["master-3"], "remove");
  assert.deepEqual(fewer.refused, []);
});

test("more memory restarts a virtual machine and no system container, and a smaller disk is refused", () => {
  const of = (driver: string) => (text: string) => text.replace("driver: auto", `driver: ${driver}`);
  const larger = (text: string) => text.replace("workers: {count: 2}", "workers: {count: 2, memoryMiB: 4096}");
  for (const [driver, action] of [
    ["qemu", "restart"],
    ["nspawn", "update"],
  ] as const) {
    const { changes } = compareRenderings(
      rendering(of(driver)),
      rendering((text) => larger(of(driver)(text))),
    );
    assert.deepEqual(
      changes.map(({ node }) => node),
      ["worker-1", "worker-2"],
    );
    assert.ok(changes.every((change) => change.action === action));
  }
  const smaller = compareRenderings(
    rendering(),
    rendering((text) => text.replace("workers: {count: 2}", "workers: {count: 2, diskGiB: 8}")),
  );
  assert.match(smaller.refused.join(), /worker-1: a system disk cannot shrink/);
});

const context = {
  stack: "lab",
  comparedWith: "main",
  refused: [],
  settings: [],
  counts: { master: 3, etcd: 3, balancer: 2 },
  unchangedNodes: 0,
};
const rolesWith = (role: Role): readonly Role[] => (role === "master" ? ["master", "etcd"] : [role]);
const change = (node: string, role: Role, action: NodeChange["action"], files: NodeChange["files"] = []) => ({
  ...{ node, roles: rolesWith(role), action, reasons: [], files },
});

test("the risk is that of the riskiest node, and the outage has its source", () => {
  const review = reviewChanges(
    [change("master-1", "master", "replace"), change("worker-9", "worker", "create")],
    context,
  );
  assert.equal(review.risk, "medium");
  assert.equal(review.nodes[0]?.interruption.measuredBy, "replace-master-gap");
  assert.match(review.nodes[0]?.interruption.measuredAt ?? "", /^[0-9a-f]{7}$/);
  assert.equal(reviewChanges([change("gateway", "gateway", "restart")], context).risk, "high");
  assert.equal(reviewChanges([], context).risk, "none");
  assert.equal(reviewChanges([], { ...context, refused: ["no"] }).risk, "high");
});

test("an outage is reported with its measured duration, if there is one", () => {
  const lost = (["balancer", "master", "worker", "storage"] as const).flatMap((role) => [
    change(`${role}-1`, role, "restart"),
    change(`${role}-2`, role, "replace"),
  ]);
  const counts = { balancer: 2, master: 3, etcd: 3, worker: 3, storage: 3 };
  for (const { node, action, interruption } of reviewChanges(lost, { ...context, counts }).nodes) {
    const { longestMs = 0, measuredBy, measuredAt } = interruption;
    assert.ok(longestMs > 0 && measuredBy && measuredAt, `${action} ${node}`);
  }
});

test("a data disk that grows in Pulumi's preview restarts the machine of a driver that cannot grow it", () => {
  const urn = (type: string, name: string) => `urn:pulumi:lab::groundplane::groundplane:index:${type}::${name}`;
  const changesOn = (driver: string) => {
    const disks = [{ disk: "storage-1-brick", mountPoint: "/data/brick" }];
    const machine = { inputs: { driver, roles: ["storage"], disks } };
    const disk = (sizeGiB: number) => ({ inputs: { driver, name: "storage-1-brick", sizeGiB } });
    return changesOfPreview({
      steps: [
        { op: "refresh", urn: urn("Machine", "storage-1"), oldState: machine, newState: machine },
        {
          ...{ op: "update", urn: urn("Disk", "storage-1-brick"), diffReasons: ["sizeGiB"] },
          ...{ oldState: disk(1), newState: disk(2) },
        },
      ],
    }).changes;
  };
  const reasons = ["sizeGiB of storage-1-brick: 1 -> 2"];
  assert.deepEqual(changesOn("virtualbox"), [{ ...change("storage-1", "storage", "restart"), reasons }]);
  assert.deepEqual(changesOn("nspawn"), [{ ...change("storage-1", "storage", "update"), reasons }]);
});

test("a comment begins with its marker, fits its limit, and states what it leaves out", () => {
  const file = { path: "/etc/x", before: "", after: "`````\n".repeat(400), reload: "systemctl reload x" };
  const many = Array.from({ length: 200 }, (_, index) => change(`worker-${index}`, "worker", "update", [file]));
  const text = renderMarkdown(reviewChanges(many, context));
  assert.ok(text.startsWith("<!-- groundplane-preview:lab -->\n"));
  assert.ok(text.length <= commentLimit && text.length > commentLimit / 2, `${text.length}`);
  assert.match(text, /_The details of \d+ more nodes do not fit/);
  assert.match(text, /\n``````diff\n/, "a fence longer than any in the file");
  assert.equal(text.match(/<details>/g)?.length, text.match(/<\/details>/g)?.length);
});

test("Pulumi's planned operations are listed by node, and the guard's refusals without the engine's text", () => {
  const machine = (role: Role) => ({ inputs: { roles: rolesWith(role) } });
  const urn = (type: string, name: string) => `urn:pulumi:lab::groundplane::groundplane:index:${type}::${name}`;
  const files = (content: string) => ({ inputs: { files: [{ path: "/etc/a", mode: "0644", content, reload: "r" }] } });
  const seen = changesOfPreview({
    steps: [
      { op: "refresh", urn: urn("Machine", "master-1"), newState: machine("master") },
      { op: "refresh", urn: urn("NodeFiles", "master-1-files"), oldState: files("x\n"), newState: files("x\n") },
      { op: "update", urn: urn("NodeFiles", "master-1-files"), oldState: files("x\n"), newState: files("y\n") },
      { op: "refresh", urn: urn("Machine", "master-2"), newState: machine("master") },
      {
        ...{ op: "update", urn: urn("Machine", "master-3"), diffReasons: ["power"] },
        ...{
          oldState: { inputs: { power: "stopped" } },
          newState: { inputs: { ...machine("master").inputs, power: "running" } },
        },
      },
      { op: "create", urn: urn("Machine", "worker-1"), newState: machine("worker") },
    ],
    diagnostics: [
      {
        severity: "error",
        message: "resource 'guard' has a problem: refused, because the cluster would not survive it: masters: no\n",
      },
    ],
  });
  assert.deepEqual(seen.changes, [
    {
      ...change("master-1", "master", "update"),
      files: [{ path: "/etc/a", before: "x\n", after: "y\n", reload: "r" }],
    },
    { ...change("master-3", "master", "update"), reasons: ["power: stopped -> running"] },
    change("worker-1", "worker", "create"),
  ]);
  assert.deepEqual(seen.refused, ["masters: no"]);
  assert.deepEqual([seen.counts, seen.unchangedNodes], [{ master: 3, etcd: 3 }, 1]);
});

test("a restart of the control plane interrupts only a single master", () => {
  const reload = "/usr/local/lib/groundplane/apply-control-plane";
  const files = [{ path: "/x", before: "a\n", after: "b\n", reload }];
  const change: NodeChange = { node: "master-1", roles: ["master", "etcd"], action: "update", reasons: [], files };
  const risk = (master: number) =>
    reviewChanges([change], {
      ...{ stack: "lab", comparedWith: "", refused: [], settings: [], unchangedNodes: 0 },
      counts: { master, etcd: master },
    }).risk;
  assert.deepEqual([risk(1), risk(3)], ["medium", "low"]);
});

test("a change that cannot be done is refused, and its class is shown", () => {
  const pods = compareRenderings(
    rendering(),
    rendering((text) => text.replace("cidr: 192", "podCidr: 10.99.0.0/16\n      cidr: 192")),
  );
  const review = reviewChanges(pods.changes, { ...context, ...pods });
  assert.equal(review.risk, "high");
  assert.match(String(review.refused), /^network\.podCidr: 10\.244\.0\.0\/16 cannot become 10\.99\.0\.0\/16: /);
  assert.match(renderMarkdown(review), /\*\*Refused\*\*/);
  assert.match(
    renderMarkdown(review),
    /\| `network\.podCidr` \| 10\.244\.0\.0\/16 -> 10\.99\.0\.0\/16 \| creation-only \|/,
  );
});

test("the risk follows from class and measurement, whatever the number of files", () => {
  const calm = compareRenderings(
    rendering(),
    rendering((text) => `${text}    options: {failover: calm, protected: true}\n`),
  );
  const review = reviewChanges(calm.changes, { ...context, ...calm });
  assert.deepEqual(
    review.settings.map(({ key, class: changeClass, risk }) => [key, changeClass, risk]),
    [
      ["options.failover", "rolling", "low"],
      ["options.protected", "live", "none"],
    ],
  );
  assert.equal(review.risk, "low");
  const consent = compareRenderings(
    rendering(),
    rendering((text) => `${text}    options: {rebootstrap: true}\n`),
  );
  assert.equal(reviewChanges(consent.changes, { ...context, ...consent }).risk, "none");
});

test("machines that restart together are judged together", () => {
  const larger = (driver: string) => (text: string) =>
    text.replace("driver: auto", `driver: ${driver}`).replace("masters: {count: 3}", "masters: {count: 3, cpus: 4}");
  const of = (driver: string) => (text: string) => text.replace("driver: auto", `driver: ${driver}`);
  const judged = (driver: string) => {
    const compared = compareRenderings(rendering(of(driver)), rendering(larger(driver)));
    return reviewChanges(compared.changes, { ...context, ...compared });
  };
  const { risk, nodes, settings } = judged("qemu");
  assert.equal(risk, "high");
  assert.match(nodes[0]?.riskReason ?? "", /^3 machines with the role master restart at the same time$/);
  assert.equal(settings[0]?.class, "rolling");
  assert.equal(judged("nspawn").risk, "low");
  assert.equal(judged("nspawn").settings[0]?.class, "live");
  assert.equal(reviewChanges([change("master-1", "master", "restart")], context).risk, "medium", "one of three");
});

test("the rendering of an earlier revision is read, with one role and the image's tree", () => {
  const { distribution: _later, settings: _newer, ...now } = rendering();
  const earlier = now.nodes.map(({ roles: [role], images, uplink: _uplink, ...node }) => ({
    ...{ ...node, role: String(role), image: images.tree ?? "" },
  }));
  const { changes, refused } = compareRenderings(readRendering({ ...now, nodes: earlier }), rendering());
  assert.deepEqual([changes, refused], [[], []]);
});

test("a second balancer is named with what the first one interrupts, and so is its removal", () => {
  const single = rendering((text) => text.replace("balancers: {count: 2}", "balancers: {count: 1}"));
  const review = (before: StackRendering, after: StackRendering) => {
    const { changes, refused } = compareRenderings(before, after);
    assert.deepEqual(refused, []);
    return reviewChanges(changes, context).nodes;
  };
  const grown = review(single, rendering());
  const first = grown.find(({ node }) => node === "balancer-1");
  assert.deepEqual([first?.action, first?.risk], ["update", "medium"]);
  assert.equal(first?.interruption.what, "the API, while another program takes over the floating IP");
  assert.match(first?.riskReason ?? "", /before this one takes part/);
  assert.ok(first?.reloads.some((reload) => reload.endsWith("FLOATING_IP_BY=pacemaker BALANCER=haproxy")));
  assert.equal(grown.find(({ node }) => node === "balancer-2")?.action, "create");
  const shrunk = review(rendering(), single);
  assert.equal(shrunk.find(({ node }) => node === "balancer-1")?.riskReason, "no other balancer remains");
  assert.equal(shrunk.find(({ node }) => node === "balancer-2")?.action, "remove");
});

test("other programs of balancers are named with what they interrupt", () => {
  const review = (option: string) => {
    const { changes } = compareRenderings(
      rendering(),
      rendering((text) => `${text}    options: {${option}}\n`),
    );
    const balancers = changes.filter(({ roles }) => roles.includes("balancer"));
    return reviewChanges(balancers, context).nodes[0];
  };
  const mover = review("failoverBy: keepalived");
  assert.equal(mover?.risk, "medium");
  assert.equal(mover?.interruption.what, "the API, while the floating IP moves");
  assert.equal(
    mover?.reloads[0],
    "/usr/local/lib/groundplane/change-balancing FLOATING_IP_BY=keepalived BALANCER=haproxy",
  );
  const program = review("balancer: nginx");
  assert.deepEqual([program?.risk, program?.interruption.what], ["low", "open connections through it"]);
});
