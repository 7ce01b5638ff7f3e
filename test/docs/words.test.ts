import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { projectFolder, readDocument, withPart } from "../support/documents";
import { findWords, isExempt, wordPairs } from "./words";

const git = (...args: string[]): string => execFileSync("git", args, { cwd: projectFolder, encoding: "utf8" });

/** The style page shows the phrases themselves. */
const withoutStylePage = (file: string, text: string): string =>
  file === "CONTRIBUTING.md" ? withPart(text, { document: file, name: "words", render: () => blankLines(text) }) : text;

/** As many lines as the page, so that later line numbers stay correct. */
const blankLines = (text: string): string => {
  const page = text.slice(text.indexOf("<!-- words:begin -->"), text.indexOf("<!-- words:end -->"));
  return "-\n".repeat(page.split("\n").length - 2);
};

test("no text of the project has a phrase that the style page rules out", () => {
  const files = git("ls-files", "-z")
    .split("\0")
    .filter((file) => file !== "" && !isExempt(file));
  const findings = files.flatMap((file) => {
    const absolute = path.join(projectFolder, file);
    const content = fs.existsSync(absolute) ? fs.readFileSync(absolute) : Buffer.alloc(0);
    if (content.includes(0)) return [];
    return findWords(withoutStylePage(file, content.toString("utf8"))).map(
      ({ line, phrase, write }) => `${file}:${line}: not "${phrase}", but "${write}"`,
    );
  });
  assert.deepEqual(findings, [], `style page: CONTRIBUTING.md\n${findings.join("\n")}`);
});

test("phrases are found across line breaks and with their line", () => {
  const pairs = [{ avoid: "made anew", write: "recreated" }];
  const text = "one\n * a machine is Made\n * anew, remade anew\n// made\n// anew";
  assert.deepEqual(findWords(text, pairs), [
    { line: 2, phrase: "Made anew", write: "recreated" },
    { line: 4, phrase: "made anew", write: "recreated" },
  ]);
});

test("each phrase of the list is found by its own pattern", () => {
  for (const pair of wordPairs) assert.ok(findWords(pair.avoid, [pair]).length > 0, pair.avoid);
});

/** The last commit before this rule. */
const FIRST = "697338e";
const LONGEST_SUBJECT = 72;

test("commit subjects have at most 72 characters", (t) => {
  const known = (() => {
    try {
      return git("merge-base", "--is-ancestor", FIRST, "HEAD") === "";
    } catch {
      return false;
    }
  })();
  if (!known) return t.skip(`the history does not reach back to ${FIRST}: a shallow clone or a copy`);
  const subjects = git("log", "--no-merges", "--format=%h %s", `${FIRST}..HEAD`).split("\n").filter(Boolean);
  const tooLong = subjects.filter((line) => line.slice(line.indexOf(" ") + 1).length > LONGEST_SUBJECT);
  assert.deepEqual(tooLong, []);
});

test("the style page explains the rules of a commit message", () => {
  assert.match(readDocument("CONTRIBUTING.md"), /at most 72 characters/);
});
