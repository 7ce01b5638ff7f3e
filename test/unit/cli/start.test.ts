import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSummary } from "../../../cli/commands/start";
import { formatElapsed, ProgressLines } from "../../../host/progress-lines";

function progressOn(isTerminal: boolean) {
  const state = { text: "", time: 0 };
  const progress = new ProgressLines({ write: (text) => (state.text += text), isTerminal, now: () => state.time });
  return { state, progress };
}

test("each phase is timed, also a failed phase", async () => {
  const { state, progress } = progressOn(false);
  await progress.during("images", async () => {
    state.time = 65_500;
    progress.note("sealed");
  });
  await assert.rejects(progress.during("up", () => Promise.reject(new Error("no"))));
  assert.deepEqual(progress.times, [
    { phase: "images", seconds: 65.5 },
    { phase: "up", seconds: 0 },
  ]);
  assert.equal(state.text, "  1:05  images         sealed\n");
});

test("progress messages overwrite each other on a terminal and are rare in a log", () => {
  const terminal = progressOn(true);
  terminal.progress.status("one");
  terminal.progress.status("two");
  terminal.progress.note("done");
  assert.equal(terminal.state.text.split("\u001b[2K").length - 1, 3);
  assert.ok(terminal.state.text.endsWith("done\n"));
  const log = progressOn(false);
  log.progress.status("one");
  log.progress.status("two");
  log.state.time = 6_000;
  log.progress.status("three");
  assert.equal(log.state.text.split("\n").length - 1, 2);
});

test("elapsed time is shown in minutes and seconds", () => {
  assert.deepEqual([0, 7_999, 750_000].map(formatElapsed), ["  0:00", "  0:07", " 12:30"]);
});

test("the summary names the API, the kubeconfig, the times and three commands", () => {
  const text = formatSummary({
    stack: "small",
    isUnchanged: true,
    outputs: { apiEndpoint: "https://127.0.0.1:1", inventory: [] },
    kubeconfig: "/data/kubeconfig",
    times: [{ phase: "up", seconds: 2.34 }],
  });
  assert.match(text, /small is up; no changes/);
  for (const part of ["https://127.0.0.1:1", "/data/kubeconfig", "2.3 s"]) assert.ok(text.includes(part), part);
  assert.equal(text.match(/npx groundplane .*--stack small/g)?.length, 3);
});
