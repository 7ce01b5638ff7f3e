import assert from "node:assert/strict";
import { test } from "node:test";
import { drawScreen, watch } from "../../../cli/watch";

/** With a visible character in the place of the one that begins control sequences. */
const visible = (text: string): string => text.replaceAll("\u001b", "␛");

const now = () => new Date("2026-01-02T03:04:05Z");

/** Runs a watch on a screen until it has reported so often. */
async function written(screen: { isTTY?: boolean; columns?: number; rows?: number }, times: number, programs = false) {
  const texts: string[] = [];
  const interruption = new AbortController();
  let reports = 0;
  const report = async () => {
    reports++;
    if (reports === times) setImmediate(() => interruption.abort());
    return `report ${reports}`;
  };
  const output = { ...screen, write: (text: string) => void texts.push(visible(text)) };
  const { signal } = interruption;
  await watch({ seconds: 0.001, screen: output, signal, report, now, isForPrograms: programs });
  return texts;
}

test("on a terminal each report takes the place of the former one, and the cursor comes back", async () => {
  const texts = await written({ isTTY: true, columns: 80, rows: 24 }, 2);
  assert.equal(texts[0], "␛[?25l␛[2J");
  assert.match(texts[1] ?? "", /^␛\[H2026-01-02T03:04:05\.000Z, every .* Ctrl-C ends␛\[K\n/);
  assert.match(texts[2] ?? "", /^␛\[H.*report 2␛\[K\n␛\[J$/s);
  assert.equal(texts.at(-1), "␛[?25h");
});

test("elsewhere reports follow each other without control characters", async () => {
  const texts = await written({}, 2);
  assert.equal(texts.length, 2);
  assert.match(texts.join(""), /report 1\n\n.*report 2\n\n$/s);
  assert.doesNotMatch(texts.join(""), /␛/);
  assert.deepEqual(await written({ isTTY: true }, 2, true), ["report 1\n", "report 2\n"]);
});

test("Ctrl-C also ends a watch whose question has no answer yet", async () => {
  const interruption = new AbortController();
  const screen = { write: () => assert.fail("nothing was reported") };
  setImmediate(() => interruption.abort());
  await watch({ seconds: 1, screen, signal: interruption.signal, report: () => new Promise<string>(() => undefined) });
});

test("a long watch keeps one listener for Ctrl-C", async (t) => {
  const warnings: string[] = [];
  const note = ({ message }: Error) => void warnings.push(message);
  process.on("warning", note);
  t.after(() => process.off("warning", note));
  await written({ isTTY: true }, 25);
  await new Promise(setImmediate);
  assert.deepEqual(warnings, []);
});

test("what does not fit on the screen is counted, and nothing scrolls", () => {
  const text = ["one", "two", "x".repeat(25), "four", "five"].join("\n");
  const shown = (rows: number) =>
    visible(drawScreen(text, { columns: 10, rows }))
      .replace("␛[H", "")
      .replaceAll("␛[K", "")
      .replace("␛[J", "")
      .trimEnd()
      .split("\n");
  assert.deepEqual(shown(24), text.split("\n"));
  assert.deepEqual(shown(8), text.split("\n"));
  assert.deepEqual(shown(7), ["one", "two", "x".repeat(25), "… 2 more lines; the terminal is too small"]);
  assert.deepEqual(shown(5), ["one", "two", "… 3 more lines; the terminal is too small"]);
});
