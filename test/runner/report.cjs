// The tables at the end of a run. The last line is the total of all tests.

const SLOWEST = 10;

/**
 * @param tierNames in the order of the table
 * @param jobs `{ tier, name, seconds, cpuSeconds?, passed, failed, skipped, forbidden, failures? }`; the last two are
 *   lists of `{ name, reason }`: skips, each of which counts as a failure, and the failed tests
 */
function formatReport(tierNames, jobs) {
  const sum = (list, key) => list.reduce((total, job) => total + job[key], 0);
  const failures = (list) => list.reduce((total, { failed, forbidden }) => total + failed + forbidden.length, 0);
  const skips = (list) => list.reduce((total, { skipped, forbidden }) => total + skipped - forbidden.length, 0);
  const rows = tierNames.map((tier) => {
    const ofTier = jobs.filter((job) => job.tier === tier);
    return [tier, sum(ofTier, "seconds").toFixed(1), sum(ofTier, "passed"), failures(ofTier), skips(ofTier)];
  });
  const isEmpty = sum(jobs, "passed") + failures(jobs) === 0;
  const lines = [
    ...slowestFiles(jobs),
    ...table(["tier", "seconds", "passed", "failed", "skipped"], rows, 11),
    ...forbiddenLines(jobs),
    ...jobs.filter(({ failed }) => failed > 0).flatMap(failureLines),
    ...(isEmpty ? ["no test ran: this counts as a failure"] : []),
    `${sum(jobs, "passed")} passed, ${failures(jobs)} failed, ${skips(jobs)} skipped`,
  ];
  return { text: lines.join("\n"), exitCode: failures(jobs) > 0 || isEmpty ? 1 : 0 };
}

/** The share of a processor shows whether a file waits or computes. */
function slowestFiles(jobs) {
  const files = jobs.filter(({ tier }) => tier !== "check").sort((a, b) => b.seconds - a.seconds);
  const rows = files
    .slice(0, SLOWEST)
    .map(({ name, seconds, cpuSeconds }) => [
      name,
      seconds.toFixed(1),
      cpuSeconds === undefined ? "" : cpuSeconds.toFixed(1),
      cpuSeconds === undefined ? "" : `${Math.round((100 * cpuSeconds) / seconds)}%`,
    ]);
  if (rows.length === 0) return [];
  return [...table(["slowest files", "seconds", "cpu", "share"], rows, 52), ""];
}

function forbiddenLines(jobs) {
  return jobs.flatMap(({ name, forbidden }) =>
    forbidden.map((skip) => `failed: ${name} skips "${skip.name}": ${skip.reason || "no reason given"}`),
  );
}

const failureLines = ({ name, failed, failures = [] }) => [
  `${failed} failed in ${name}`,
  ...failures.flatMap((failure) => [`  ${failure.name}`, ...failure.reason.split("\n").map((line) => `    ${line}`)]),
];

const table = (head, rows, firstWidth) =>
  [head, ...rows].map(([first, ...cells]) =>
    [String(first).padEnd(firstWidth), ...cells.map((cell) => String(cell).padStart(7))].join(" "),
  );

module.exports = { formatReport };
