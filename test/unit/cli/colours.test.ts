import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { hasColours, painterFor, widthOf } from "../../../cli/colours";
import { renderFinding } from "../../../cli/commands/doctor";
import { table } from "../../../cli/print";

const terminal = { isTTY: true };

test("colours are for terminals; NO_COLOR ends them, FORCE_COLOR is stronger", () => {
  const cases: readonly (readonly [object, NodeJS.ProcessEnv, boolean])[] = [
    [terminal, {}, true],
    [{}, {}, false],
    [terminal, { TERM: "dumb" }, false],
    [terminal, { NO_COLOR: "1" }, false],
    [terminal, { NO_COLOR: "" }, true],
    [{}, { FORCE_COLOR: "1" }, true],
    [{}, { FORCE_COLOR: "" }, true],
    [terminal, { FORCE_COLOR: "0" }, false],
    [terminal, { FORCE_COLOR: "false" }, false],
    [{}, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
  ];
  for (const [output, environment, expected] of cases)
    assert.equal(hasColours(output, environment), expected, JSON.stringify([output, environment]));
});

test("a coloured text takes the columns of the plain one", () => {
  const paint = painterFor(terminal, {});
  assert.equal(paint("bad", "down"), "\u001b[31mdown\u001b[39m");
  assert.equal(widthOf(paint("heading", "down")), 4);
  const plain = table([
    ["a", "up", "x"],
    ["b", "unknown", "y"],
  ]);
  const coloured = table([
    ["a", paint("good", "up"), "x"],
    ["b", paint("warning", "unknown"), "y"],
  ]);
  assert.equal(stripVTControlCharacters(coloured), plain);
});

test("a text that is not for a terminal is plain", () => {
  const finding = { state: "problem", text: "broken", hint: "repair it" } as const;
  const found = { id: "x", ...finding };
  assert.equal(renderFinding(found, painterFor({}, {})), "PROBLEM broken\n          next step: repair it");
  assert.ok(renderFinding(found, painterFor(terminal, {})).startsWith("\u001b[31mPROBLEM"));
});
