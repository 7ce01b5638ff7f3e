// What a test file reported, from its TAP output, and which of its skips count as failures.

/** A directive follows an unescapedd `#`; the reporter escapes those of names and reasons. */
const skipLine = /^ *(?:not )?ok \d+(?: - (.*?))? # (SKIP|TODO)(?: (.*))?$/;

/**
 * @returns {{ passed: number, failed: number, skips: { name: string, reason: string }[] }}
 */
function readTap(text, exitCode) {
  const count = (word) => Number([...text.matchAll(new RegExp(`^# ${word} (\\d+)$`, "gm"))].at(-1)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  // The totals leave out skipped suites, with all the tests that they would have had.
  const skips = text.split("\n").flatMap((line) => {
    const [, name = "", , reason = ""] = skipLine.exec(line) ?? [];
    return skipLine.test(line) ? [{ name: unescaped(name), reason: unescaped(reason) }] : [];
  });
  // A file that ended before the reporter could write its totals.
  return { passed: count("pass"), failed: failed === 0 && exitCode !== 0 ? 1 : failed, skips };
}

const unescaped = (text) => text.replace(/\\(.)/g, "$1");

/** Skips of a tier that no row of the list allows. */
function forbiddenSkips(tier, skips, allowed) {
  return skips.filter(({ reason }) => !allowed.some((row) => row.tiers.includes(tier) && row.reason.test(reason)));
}

module.exports = { readTap, forbiddenSkips };
