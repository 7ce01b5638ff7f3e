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

/** The skips of a tier that no row of the list allows. */
function forbiddenSkips(tier, skips, allowed) {
  return skips.filter(({ reason }) => !allowed.some((row) => row.tiers.includes(tier) && row.reason.test(reason)));
}

module.exports = { readTap, forbiddenSkips };
