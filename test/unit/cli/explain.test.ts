import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "commander";
import { groundplaneCommand } from "../../../cli/all-commands";
import { describeCommands } from "../../../cli/describe-commands";
import { unitExplanations } from "../../../cloud-init/explanations/explain-file";
import type { Explanation } from "../../../explain/explanation";
import { subjectOf } from "../../../explain/subject";
import { topicsOf } from "../../../explain/topics";
import { guestCommand } from "../../../model/guest-paths";
import { explainedPlans } from "../../support/explained-plans";

const program = groundplaneCommand();
const described = describeCommands(program);

/** What a text tells users to type. */
function commandsIn(explanation: Explanation): readonly string[] {
  const texts = explanation.sections.flatMap(({ text, rows, commands }) => [
    ...(text === undefined ? [] : [text]),
    ...(rows ?? []).map(([, cell]) => cell),
    ...(commands ?? []),
  ]);
  return texts.flatMap((text) =>
    [...text.matchAll(/npx groundplane ([^`\n]+)/g)].map(([, words = ""]) => words.trim()),
  );
}

/** Follows the words of a command line to the command that they name, with its options. */
function find(words: readonly string[]): { readonly command: Command; readonly rest: readonly string[] } {
  let command = program;
  let rest = words;
  for (;;) {
    const [first] = rest;
    const child = command.commands.find((each) => each.name() === first);
    if (child === undefined) return { command, rest };
    [command, rest] = [child, rest.slice(1)];
  }
}

test("every command of groundplane is described by itself", () => {
  assert.ok(described.length > 30);
  for (const { name, description } of described) assert.ok(description.length > 10, name);
  assert.ok(described.some(({ name }) => name === "image build"));
  assert.ok(!described.some(({ name }) => name === "complete" || name === "help"));
});

test("every command that an explanation names exists with its options and its nodes", () => {
  const seen = new Set<string>();
  for (const plan of explainedPlans()) {
    const nodes = new Set(plan.nodes.map(({ name }) => name));
    for (const topic of topicsOf(subjectOf(plan, described))) {
      for (const line of commandsIn(topic.explain())) {
        const what = `${topic.kind} ${topic.name}: ${line}`;
        const [own = ""] = line.split(" -- ");
        const { command, rest } = find(own.replace(/[;,)].*$/, "").split(" "));
        assert.notEqual(command, program, what);
        for (const option of rest.filter((word) => /^--[a-z]/.test(word)).map((word) => word.split("=")[0] ?? ""))
          assert.ok(option === "--help" || command.options.some(({ long }) => long === option), what);
        if (command.name() === "ssh" && /^[a-z]/.test(rest[0] ?? "")) assert.ok(nodes.has(rest[0] ?? ""), what);
        seen.add(command.name());
      }
    }
  }
  for (const name of ["ssh", "status", "verify", "preview", "logs", "start"]) assert.ok(seen.has(name), name);
});

test("a command on a node survives the shell of this host, and names a program that nodes have", () => {
  const programs = [
    ...["systemctl", "journalctl", "nft", "crm_mon", "corosync-quorumtool", "ip", "echo", "socat", "crictl", "docker"],
    ...["curl", "gluster", "findmnt", "free", "df", "cat", "getent", "sysctl", "chronyc", "kubectl", "tail"],
  ];
  for (const plan of explainedPlans()) {
    for (const topic of topicsOf(subjectOf(plan, described))) {
      for (const line of commandsIn(topic.explain())) {
        const [, onNode] = line.split(" -- ");
        if (onNode === undefined) continue;
        assert.ok(/^"[^"$`]*"$/.test(onNode) || !/[|$'"`;]/.test(onNode), line);
        const first = onNode.replace('"', "").split(" ")[0] ?? "";
        const isOwn = first.startsWith(guestCommand("node-ready").replace("node-ready", ""));
        assert.ok(isOwn || programs.includes(first), line);
      }
    }
  }
});

test("a unit whose state is asked is one that is explained", () => {
  for (const [name, { shown }] of Object.entries(unitExplanations)) {
    const unit = /(?:list-timers|list-dependencies|status) (\S+)/.exec(shown ?? "")?.[1];
    if (unit !== undefined) assert.ok(unitExplanations[unit], `${name}: ${shown}`);
  }
});
