import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { parseEngineEvent, resourceOf } from "../../../toolchain/run-pulumi/engine-events";
import { UpReport } from "../../../toolchain/run-pulumi/up-report";

const transcripts = path.join(__dirname, "..", "..", "transcripts", "pulumi-3.248.0");

/** Reads lines of `pulumi up --json` at one line for each second. */
function read(lines: readonly string[]) {
  const [notes, statuses] = [[] as string[], [] as string[]];
  let seconds = 0;
  const news = { note: (text: string) => notes.push(text), status: (text: string) => statuses.push(text) };
  const report = new UpReport(news, () => seconds * 1000);
  for (const line of lines) {
    report.read(line);
    seconds++;
  }
  return { report, notes, statuses };
}

const replay = (name: string) =>
  read(
    fs
      .readFileSync(path.join(transcripts, `${name}.jsonl`), "utf8")
      .trimEnd()
      .split("\n"),
  );

test("a line of JSON is an event, anything else is text", () => {
  assert.deepEqual(parseEngineEvent('{"sequence":3,"cancelEvent":{}}'), { sequence: 3, cancelEvent: {} });
  for (const text of ["error: the stack is locked", "", "{", '{"a":1}'])
    assert.equal(parseEngineEvent(text), undefined);
});

test("a URN names the resource, and a component is not a real resource", () => {
  const prefix = "urn:pulumi:lab::groundplane::";
  const machine = `${prefix}groundplane:components:DataCenter$groundplane:index:Machine::master-1`;
  assert.deepEqual(resourceOf(machine), { kind: "Machine", name: "master-1", isReal: true });
  const component = `${prefix}groundplane:components:DataCenter::lab`;
  assert.deepEqual(resourceOf(component), { kind: "DataCenter", name: "lab", isReal: false });
});

test("each completed resource is reported with its time, and components and refreshes are not reported", () => {
  const { report, notes, statuses } = replay("worker-added");
  const without = (text: string): string => text.replace(/ \([\d.]+ s\)$/, "");
  assert.deepEqual(notes.map(without).sort(), [
    "gateway-files: node files updated",
    "master-1-files: node files updated",
    "worker-2-files: node files created",
    "worker-2-membership: membership created",
    "worker-2: machine created",
  ]);
  for (const note of notes) assert.match(note, / \([1-9][\d.]* s\)$/);
  assert.ok(statuses.includes("worker-2: starting"), statuses.join("\n"));
  assert.equal(report.isUnchanged, false);
});

test("deleted and replaced resources are reported", () => {
  assert.ok(replay("worker-removed").notes.some((note) => note.startsWith("worker-2: machine deleted (")));
  const { notes } = replay("command-replaced");
  assert.match(notes[0] ?? "", /^fine: command deleted for replacement \(/);
  assert.match(notes[1] ?? "", /^fine: command created as replacement \(/);
  assert.equal(notes[2], "warning: fine: careful with this");
  assert.equal(notes.length, 3);
});

test("a run without changes is detected", () => {
  const { report, notes } = replay("no-changes");
  assert.equal(report.isUnchanged, true);
  assert.deepEqual(notes, []);
  assert.equal(read(["error: no"]).report.isUnchanged, false);
});

test("a failure names the resource and shows Pulumi's message", () => {
  const { report, notes } = replay("command-failed");
  assert.match(report.problems, /^broken \(command\):\n {2}exit status 3: .*\n {2}said on the way\n {2}went wrong$/);
  assert.ok(notes.some((note) => note.startsWith("broken: command create failed (")));
  assert.equal(report.isUnchanged, false);
  const wrong = replay("wrong-configuration").report.problems;
  assert.match(wrong, /^1 problem in stacks\/Pulumi\.small\.yaml:[\s\S]*unknown key/);
});

test("Pulumi's output before the engine starts stays readable", () => {
  const said = ["error: the stack is currently locked by 1 lock(s).", "  file:///state: created by root@vm (pid 1)"];
  const { report } = read(said);
  assert.equal(report.problems, said.join("\n"));
  assert.deepEqual(report.log, said);
});

test("the log contains the progress and no debug output of the engine", () => {
  const { log } = replay("command-failed").report;
  assert.ok(log.some((line) => /fine: command created/.test(line)));
  assert.ok(log.some((line) => /broken: exit status 3/.test(line)));
  assert.ok(!log.some((line) => /RegisterResource|sequence/.test(line)), log.join("\n"));
});
