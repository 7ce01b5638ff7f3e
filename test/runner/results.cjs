// The results of a test file from its TAP output, and its skips that count as failures.

/** A directive follows an unescaped `#`. The reporter escapes each `#` in names and reasons. */
const skipLine = /^ *(?:not )?ok \d+(?: - (.*?))? # (SKIP|TODO)(?: (.*))?$/;

/**
 * @returns {{ passed: number, failed: number, skips: { name: string, reason: string }[] }}
 */
function readTap(text, exitCode) {
  const count = (word) => Number([...text.matchAll(new RegExp(`^# ${word} (\\d+)$`, "gm"))].at(-1)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  // The totals leave out skipped suites with all their tests.
  const skips = text.split("\n").flatMap((line) => {
    const [, name = "", , reason = ""] = skipLine.exec(line) ?? [];
    return skipLine.test(line) ? [{ name: unescaped(name), reason: unescaped(reason) }] : [];
  });
  // The file ended before the reporter wrote its totals.
  return { passed: count("pass"), failed: failed === 0 && exitCode !== 0 ? 1 : failed, skips };
}

const unescaped = (text) => text.replace(/\\(.)/g, "$1");

/** The skips of a tier that no row of the list allows. */
function forbiddenSkips(tier, skips, allowed) {
  return skips.filter(({ reason }) => !allowed.some((row) => row.tiers.includes(tier) && row.reason.test(reason)));
}

module.exports = { readTap, forbiddenSkips };
