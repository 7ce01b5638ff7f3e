import assert from "node:assert/strict";
import { test } from "node:test";
import { kindNames } from "../../../explain/explanation";
import { findTopic } from "../../../explain/find-topic";
import { renderExplanation, renderTopics } from "../../../explain/render";
import { type Subject, subjectOf } from "../../../explain/subject";
import { isListed, type Topic, topicsOf } from "../../../explain/topics";
import { guestPaths } from "../../../model/guest-paths";
import { UserError } from "../../../model/user-error";
import { faultExplanations } from "../../../verify/fault-explanations";
import { faults } from "../../../verify/faults/all";
import { examplePlan, exampleStacks } from "../../support/example-plans";
import { exampleSettings } from "../../support/example-stacks";
import { explainedPlans } from "../../support/explained-plans";
import { writtenPlan } from "../../support/written-plan";

const commands = [
  { name: "status", description: "show", usage: "[options]", options: [["--json", "print JSON"]] as const },
  { name: "ssh", description: "open a shell", usage: "<node>", options: [] },
];
const subjectFor = (stack: string): Subject => subjectOf(examplePlan(stack), commands);
const lab = topicsOf(subjectFor("lab"));
const appearance = (columns: number) => ({ columns, paint: (_style: string, text: string) => text });

function topicIn(topics: readonly Topic[], ...words: readonly string[]): Topic {
  const found = findTopic(topics, words);
  assert.ok("topic" in found, words.join(" "));
  return found.topic;
}
const shown = (...words: readonly string[]): string =>
  renderExplanation(topicIn(lab, ...words).explain(), appearance(100));

test("everything that can be explained says what it is, why it is there, and how to see it", () => {
  for (const stack of exampleStacks) {
    for (const topic of topicsOf(subjectFor(stack))) {
      const { kind, name, is, why, sections } = topic.explain();
      const what = `${stack}: ${kind} ${name}`;
      assert.deepEqual([kind, name], [topic.kind, topic.name.replace(/^.*:\//, "/")], what);
      assert.ok(is.length > 3, what);
      assert.ok(topic.title.length > 3, what);
      if (!["key", "command"].includes(kind)) assert.ok((why ?? "").length > 10, what);
      assert.ok(sections.length > 0, what);
      const isHere = !/This stack has none|does not apply|No machine of this stack|machines +none/.test(
        renderExplanation(topic.explain(), appearance(100)),
      );
      if (isHere)
        assert.ok(
          sections.some(({ title }) => title === "See it"),
          what,
        );
    }
  }
});

test("there is a topic for every file, unit, flow, fault, role, key and check", () => {
  for (const kind of kindNames) assert.ok(lab.filter((topic) => topic.kind === kind).length >= 2, kind);
  for (const plan of explainedPlans()) {
    const subject = subjectOf(plan, commands);
    const topics = topicsOf(subject);
    const names = new Set(topics.map(({ kind, name }) => `${kind} ${name}`));
    for (const { file } of subject.files) assert.ok(names.has(`file ${file.path}`), file.path);
  }
});

test("every fault has an explanation, and every explanation a fault", () => {
  assert.deepEqual(Object.keys(faultExplanations).sort(), faults.map(({ name }) => name).sort());
});

test("names are unique within a kind, so that each topic can be named", () => {
  for (const topic of lab) assert.equal(topicIn(lab, topic.kind, topic.name), topic, `${topic.kind} ${topic.name}`);
});

test("shorter names work: of files, units, nodes", () => {
  assert.equal(topicIn(lab, "haproxy.cfg").name, "/etc/haproxy/haproxy.cfg");
  assert.equal(topicIn(lab, "quorum-guard.service").kind, "unit");
  assert.equal(topicIn(lab, "192.168.57.11").name, "master-1");
});

test("what is not clear is refused with what can be meant", () => {
  const refused = (id: string, next: RegExp) => (error: unknown) =>
    error instanceof UserError && error.id === id && next.test(error.hint);
  assert.throws(
    () => findTopic(lab, ["gateway"]),
    refused("ambiguous-topic", /explain role gateway.*explain node gateway/),
  );
  assert.throws(() => findTopic(lab, ["mastre-1"]), refused("unknown-topic", /master-1/));
  assert.throws(
    () => findTopic(lab, ["role", "mastr"]),
    refused("unknown-topic", /nearest names are master; .*explain role/),
  );
  assert.throws(() => findTopic(lab, ["role", "mastr"]), /no role has the name mastr/);
  assert.throws(() => findTopic(lab, ["zzzzzzzz"]), refused("unknown-topic", /lists what can be explained/));
});

test("without a topic, all are listed by kind; with a kind, those of it with a line each", () => {
  const all = findTopic(lab, []);
  assert.ok("listed" in all);
  assert.ok(all.listed.every(isListed));
  const text = renderTopics(all.listed, appearance(80));
  for (const kind of kindNames) assert.match(text, new RegExp(`^${kind}: `, "m"));
  const roles = findTopic(lab, ["role"]);
  assert.ok("listed" in roles);
  assert.match(renderTopics(roles.listed, appearance(80)), /^ {2}gateway +the router, firewall/m);
});

test("a unit names the machines that have it, also one of an image", () => {
  assert.match(shown("containerd"), /machines +master-1, master-2, master-3, worker-1, worker-2\n/);
  assert.match(shown("keepalived"), /^No machine of this stack has it\.$/m);
});

test("secrets are never shown", () => {
  for (const topic of lab.filter(({ kind }) => kind === "file")) {
    const text = JSON.stringify(topic.explain());
    assert.doesNotMatch(text, /-----BEGIN/, topic.name);
  }
  assert.match(
    shown("file", `${guestPaths.pki}/ca.key`),
    /kubernetes-ca\.key of the stack's state\. It is never shown/,
  );
});

test("a flow shows the rule of this stack, and the file and machine that have it", () => {
  const text = shown("flow", "api-balanced");
  assert.match(text, /^The rule, in gateway:\/etc\/nftables\.conf$/m);
  assert.match(text, /^ {2}ip saddr @worker ip daddr @api tcp dport \{ 6443 \} accept comment "API, balanced"$/m);
  assert.match(text, /floating IP 192\.168\.56\.10/);
  assert.match(shown("flow", "pods-to-etcd"), /^The rule, in master-1:.*pods\.nft$/m);
  assert.match(shown("flow", "corosync"), /@balancer udp dport 5405/);
});

test("service addresses are a flow of stacks that have them", () => {
  const names = ["flow", "service-addresses"];
  assert.match(shown(...names), /^ {2}This stack has none: it does not have the add-on MetalLB\.$/m);
  const plan = writtenPlan({ ...exampleSettings("lab"), addons: { metallb: true } });
  const topics = topicsOf(subjectOf(plan, commands));
  const text = renderExplanation(topicIn(topics, ...names).explain(), appearance(100));
  assert.match(text, /^ {2}to {4}service addresses \(192\.168\.62\.0\/23\)$/m);
  assert.match(text, /^ {2}iifname .* ip daddr 192\.168\.62\.0\/23 accept comment "service addresses"$/m);
  const worker = renderExplanation(topicIn(topics, "role", "worker").explain(), appearance(100));
  assert.match(worker, /^ {2}service-addresses +every machine → service addresses by all ports/m);
});

test("a unit that system containers do not have says so, and names no command for them", () => {
  const text = (isInContainers?: boolean): readonly string[] =>
    ["unit chrony.service", "file /etc/chrony/conf.d/groundplane.conf"].map((name) => {
      const topic = topicIn(topicsOf(subjectOf(examplePlan("lab"), commands, isInContainers)), ...name.split(" "));
      return renderExplanation(topic.explain(), appearance(100));
    });
  for (const each of [...text(), ...text(false)]) assert.match(each, /chronyc tracking/);
  for (const each of text(true)) assert.doesNotMatch(each, /chronyc|journalctl/);
  for (const each of [...text(), ...text(true)])
    assert.match(each, /Not in system containers, whose image masks chrony\.service/);
});

test("a role, a fault and a file show what was measured, with its origin", () => {
  for (const words of [
    ["role", "balancer"],
    ["fault", "balancer-kill"],
    ["file", "haproxy.cfg"],
    ["node", "storage-1"],
  ])
    assert.match(
      shown(...words),
      /\(lab, \d+ rounds?,\s+commit \w{7},\s+20\d\d-\d\d-\d\d\)|^Measured: lab, /m,
      words.join(" "),
    );
  const pair = renderExplanation(topicIn(topicsOf(subjectFor("pair")), "witness-kill").explain(), appearance(100));
  assert.match(pair, /^Measured: pair, /m);
});

test("a text fits the terminal, except lines of files and commands", () => {
  for (const columns of [60, 80, 100]) {
    for (const topic of lab.filter(({ kind }) => kind !== "file" && kind !== "unit" && kind !== "flow")) {
      const explanation = topic.explain();
      const verbatim = new Set(explanation.sections.flatMap((section) => section.commands ?? []));
      for (const line of renderExplanation(explanation, appearance(columns)).split("\n"))
        assert.ok(
          line.length <= columns || verbatim.has(line.trim()) || !line.trim().includes(" "),
          `${topic.name}: ${line}`,
        );
    }
  }
});

test("an explanation of this stack is as it was reviewed", () => {
  assert.equal(
    shown("flow", "pods-to-kubelet"),
    `pods-to-kubelet (flow)

Is refused: kubelet, tcp 10250.

The kubelet runs commands in every container of its node.

From and to
  from  pods
  to    every machine
  by    tcp 10250

The rule, in master-1:/etc/groundplane/pods.nft
  tcp dport { 10250 } reject with icmpx admin-prohibited comment "kubelet"

See it
  npx groundplane ssh master-1 -- nft list table inet groundplane_pods`,
  );
});
