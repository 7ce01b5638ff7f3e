import assert from "node:assert/strict";
import { test } from "node:test";

const { formatReport } = require("../../runner/report.cjs");

const job = (name: string, settings: object = {}) => ({
  ...{ tier: "unit", name, seconds: 2, cpuSeconds: 1, passed: 1, failed: 0, skipped: 0, forbidden: [] },
  ...settings,
});

test("the last line is the total, after a row for each tier", () => {
  const jobs = [job("a"), job("b", { tier: "golden", passed: 3, skipped: 2 }), job("c")];
  const { text, exitCode } = formatReport(["unit", "golden", "docs"], jobs);
  assert.equal(text.split("\n").at(-1), "5 passed, 0 failed, 2 skipped");
  assert.match(text, /^unit +4\.0 +2 +0 +0$/m);
  assert.match(text, /^golden +2\.0 +3 +0 +2$/m);
  assert.match(text, /^docs +0\.0 +0 +0 +0$/m);
  assert.equal(exitCode, 0);
});

test("the ten slowest files are named, slowest first, with their share of a processor", () => {
  const jobs = Array.from({ length: 12 }, (_, index) => job(`file-${index}`, { seconds: index + 1 }));
  const { text } = formatReport(["unit"], jobs);
  const named = [...text.matchAll(/^(file-\d+) +(\S+) +(\S+) +(\S+)$/gm)].map(([, ...cells]) => cells.join(" "));
  assert.equal(named.length, 10);
  assert.equal(named[0], "file-11 12.0 1.0 8%");
  assert.equal(named[9], "file-2 3.0 1.0 33%");
});

test("a skip that is not allowed fails the run, and is reported with its reason", () => {
  const forbidden = [{ name: "machines", reason: "no VirtualBox" }];
  const { text, exitCode } = formatReport(["unit"], [job("a", { skipped: 3, forbidden })]);
  assert.equal(exitCode, 1);
  assert.match(text, /^failed: a skips "machines": no VirtualBox$/m);
  assert.equal(text.split("\n").at(-1), "1 passed, 1 failed, 2 skipped");
});

test("the reasons of failures stand at the end, where a cut log still shows them", () => {
  const failures = [{ name: "x is y", reason: "1 !== 2\n+ a" }];
  const { text } = formatReport(["unit"], [job("a", { failed: 1, failures })]);
  assert.match(text, /\n1 failed in a\n {2}x is y\n {4}1 !== 2\n {4}\+ a\n1 passed, 1 failed, 0 skipped$/);
});

test("a failure fails the run, and so does a run without tests", () => {
  assert.equal(formatReport(["unit"], [job("a", { failed: 2 })]).exitCode, 1);
  const { text, exitCode } = formatReport(["unit"], []);
  assert.equal(exitCode, 1);
  assert.match(text, /no test ran: this counts as a failure\n0 passed, 0 failed, 0 skipped$/);
});
