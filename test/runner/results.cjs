// The results of a test file from its TAP output, and its skips that count as failures.

/** A directive follows an unescaped `#`. The reporter escapes each `#` in names and reasons. */
const skipLine = /^ *(?:not )?ok \d+(?: - (.*?))? # (SKIP|TODO)(?: (.*))?$/;

/**
 * @returns {{ passed: number, failed: number, skips: { name: string, reason: string }[] }}
 */
function readTap(text, exitCode) {
  const total = (word) => [...text.matchAll(new RegExp(`^# ${word} (\\d+)$`, "gm"))].at(-1)?.[1];
  const count = (word) => Number(total(word) ?? 0);
  const failed = count("fail") + count("cancelled");
  // The totals leave out skipped suites with all their tests.
  const skips = text.split("\n").flatMap((line) => {
    const [, name = "", , reason = ""] = skipLine.exec(line) ?? [];
    return skipLine.test(line) ? [{ name: unescaped(name), reason: unescaped(reason) }] : [];
  });
  const passed = count("pass");
  // The file ended before the reporter wrote its totals, or it has no test.
  const isIncomplete = exitCode !== 0 || total("tests") === undefined || passed + skips.length === 0;
  return { passed, failed: failed === 0 && isIncomplete ? 1 : failed, skips };
}

const unescaped = (text) => text.replace(/\\(.)/g, "$1");

const REASON_LINES = 12;
const REASON_COLUMNS = 2000;

/** The suite of a file, if several files share a process (load-pure-files.cjs). */
const fileSuite = /^# Subtest: (\S+\.test\.ts)$/gm;

/**
 * Why tests failed, for the end of a run: logs of CI are often cut to their last part.
 * @returns {{ name: string, reason: string }[]} without the tests that only contain others
 */
function failuresOf(tap) {
  let next = "";
  return tap.split(/^(?= *not ok \d+ - )/m).flatMap((part) => {
    const file = next;
    next = [...part.matchAll(fileSuite)].at(-1)?.[1] ?? next;
    const [, indent = "", name = ""] = /^( *)not ok \d+ - (.*)/.exec(part) ?? [];
    const details = part.split("\n").map((line) => line.slice(indent.length + 2));
    const start = details.findIndex((line) => line.startsWith("error: "));
    if (start < 0 || details.includes("failureType: 'subtestsFailed'")) return [];
    const [, inline = ""] = /^error: (.*)/.exec(details[start]) ?? [];
    const rest = details.slice(start + 1);
    const end = rest.findIndex((line) => line !== "" && !line.startsWith("  "));
    const lines =
      inline === "|-" ? rest.slice(0, end).map((line) => line.slice(2)) : [inline.replace(/^'(.*)'$/, "$1")];
    const shown = lines.filter((line) => line.trim() !== "").slice(0, REASON_LINES);
    const fullName = file === "" ? unescaped(name) : `${file}: ${unescaped(name)}`;
    return [{ name: fullName, reason: shown.map((line) => line.slice(0, REASON_COLUMNS)).join("\n") }];
  });
}

/** The files of a process with several files whose suites contain no test. */
function emptyFiles(tap, files) {
  const [, ...parts] = tap.split(/^# Subtest: (?=\S+\.test\.ts$)/m);
  const filled = parts.filter((part) => /^ +(?:not )?ok \d/m.test(part)).map((part) => part.split("\n", 1)[0]);
  return files.filter((file) => !filled.includes(file));
}

/** The skips of a tier that no row of the list allows. */
function forbiddenSkips(tier, skips, allowed) {
  return skips.filter(({ reason }) => !allowed.some((row) => row.tiers.includes(tier) && row.reason.test(reason)));
}

module.exports = { readTap, emptyFiles, failuresOf, forbiddenSkips };
