// Runs tiers of tests: `node test/run.cjs [tier or file…]`, by default all tiers but those on request. Files run in parallel
// as far as their resources allow (test/runner/tiers.cjs). The last line is the total of all tests. CommonJS without
// dependencies, so that it can report errors when nothing is installed.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const allowedSkips = require("./allowed-skips.cjs");
const { compileBelow } = require("./runner/compile-typescript.cjs");
const { endAll, isEnding, runMarked } = require("./runner/processes.cjs");
const { makeProcessorShare, shares } = require("./runner/processor-shares.cjs");
const { formatReport } = require("./runner/report.cjs");
const { emptyFiles, failuresOf, forbiddenSkips, readTap } = require("./runner/results.cjs");
const { groupPureJobs, runJobs } = require("./runner/schedule.cjs");
const { checks, expectedSeconds, heldBy, shareOf, tiers } = require("./runner/tiers.cjs");

const root = path.join(__dirname, "..");
/** Two more than the processors, because most files wait for their processes half of the time, and the lab even longer. */
const slots = os.availableParallelism() + 2;
const STILL_RUNNING_EVERY_MS = 60_000;
const groups = Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, makeProcessorShare(share)]));
process.on("exit", () => {
  for (const group of Object.values(groups)) group.remove();
});
/** The tables at the end contain the results of all files. */
const reporterTotals = /^ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*\n/gm;

async function main(arguments_) {
  const all = Object.keys(tiers);
  const files = arguments_.filter((name) => all.some((tier) => fileJobs(tier).some(({ file }) => file === name)));
  const unknown = arguments_.filter((name) => !all.includes(name) && !files.includes(name));
  if (unknown.length > 0) {
    const ways = `use one of ${all.join(", ")}, or a file as test/unit/model/roles.test.ts`;
    console.error(`unknown tier or test file: ${unknown.join(", ")}\n  next step: ${ways}`);
    return 2;
  }
  const isAsked = (tier) => arguments_.includes(tier) || files.some((file) => file.startsWith(`test/${tier}/`));
  const jobsOf = (tier) =>
    fileJobs(tier).filter(({ file }) => arguments_.includes(tier) || files.length === 0 || files.includes(file));
  const names = all.filter((name) => (arguments_.length === 0 ? !tiers[name].onRequest : isAsked(name)));
  const empty = names.filter((name) => name !== "check" && fileJobs(name).length === 0);
  if (process.env.CI === "true" && empty.length > 0) {
    console.error(`no test files: ${empty.join(", ")}\n  next step: restore test/TIER/*.test.ts, or remove the tier`);
    return 1;
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, endAll);
  prepare(names.map((name) => tiers[name].needs));
  const started = performance.now();
  const results = names.includes("check") ? await runAll(checkJobs()) : [];
  // If the code does not compile, later failures give no information.
  if (results.every(({ failed }) => failed === 0)) {
    const jobs = names.filter((name) => name !== "check").flatMap(jobsOf);
    results.push(...(await runAll([...groupPureJobs(jobs, slots), ...jobs.filter(({ pure }) => !pure)])));
  }
  const { text, exitCode } = formatReport(names, results);
  console.log(`\nran ${((performance.now() - started) / 1000).toFixed(1)} s, ${slots} at once\n\n${text}`);
  return isEnding() ? 130 : exitCode;
}

/** Prepares a fresh clone for the tiers. */
function prepare(needs) {
  const start = (...words) => run("cli/start.cjs", ...words);
  const run = (...words) =>
    spawnSync(process.execPath, words, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status;
  const isReady = needs.includes("everything")
    ? start("--prepare-only", "--yes") === 0
    : start("--install-only") === 0 && (!needs.includes("pulumi") || run("cli/groundplane.cjs", "env", "--json") === 0);
  compileBelow(root);
  // Without root or on other systems than Debian, tests that need real machines skip with a reason.
  if (!isReady) console.log("not everything could be prepared: see above");
}

const limitMsOf = (tier) => tiers[tier].limitMinutes * 60_000;

const checkJobs = () =>
  checks.map(({ name, script }) => ({
    ...{ tier: "check", name, limitMs: limitMsOf("check") },
    argv: ["npm", "run", "--silent", script],
  }));

function fileJobs(tier) {
  const { pure } = tiers[tier];
  const limitMs = limitMsOf(tier);
  return testFilesBelow(path.join("test", tier)).map((name) => {
    const file = name.split(path.sep).join("/");
    // Pure tests come first, because they take seconds and find most mistakes in the code.
    const seconds = pure ? Number.POSITIVE_INFINITY : expectedSeconds[file];
    return { ...{ tier, name, file, pure, limitMs, seconds }, holds: heldBy(tier, file) };
  });
}

/** The runner of Node.js 20 does not support glob patterns. */
function testFilesBelow(folder) {
  const absolute = path.join(root, folder);
  if (!fs.existsSync(absolute)) return [];
  return fs
    .readdirSync(absolute, { recursive: true })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => path.join(folder, name))
    .sort();
}

async function runAll(jobs) {
  const running = new Map();
  const timer = setInterval(() => {
    const since = ([name, at]) => `${name} (${Math.round((performance.now() - at) / 1000)} s)`;
    console.log(`… ${[...running].map(since).join(", ")}`);
  }, STILL_RUNNING_EVERY_MS);
  try {
    const results = await runJobs(jobs, slots, async (job) => {
      running.set(job.name, performance.now());
      const result = await runJob(job, jobs.length === 1);
      running.delete(job.name);
      return result;
    });
    return results.filter(Boolean);
  } finally {
    clearInterval(timer);
  }
}

/** @param isLive shows the output at once, because no other file runs. Otherwise it is shown as a whole at the end. */
async function runJob(job, isLive) {
  if (isEnding()) return undefined;
  const started = performance.now();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const files = { tap: path.join(folder, "results.tap"), cpu: path.join(folder, "cpu") };
  let output = "";
  const onOutput = (text) => {
    if (isLive) process.stdout.write(text);
    else output += text;
  };
  const env = { GROUNDPLANE_TEST_CPU_FILE: files.cpu, ...(job.pure && { GROUNDPLANE_TEST_PURE: "true" }) };
  const argv = job.argv ?? testArgv(job, files.tap);
  const onStart = job.argv ? undefined : groups[shareOf(job.tier, job.file)]?.add;
  const { code, left } = await runMarked(argv, { cwd: root, env, limitMs: job.limitMs, onStart, onOutput });
  const seconds = (performance.now() - started) / 1000;
  const tap = readIfThere(files.tap);
  const counts = job.argv ? readCheck(code) : countTests(job, tap, code);
  const forbidden = process.env.CI === "true" ? forbiddenSkips(job.tier, counts.skips, allowedSkips) : [];
  const cpuSeconds = Number(readIfThere(files.cpu)) || undefined;
  fs.rmSync(folder, { recursive: true, force: true });
  const mark = counts.failed + forbidden.length > 0 ? "✖" : "✔";
  const leftovers = left.map((line) => `killed what it left behind: ${line.slice(0, 200)}\n`).join("");
  console.log(
    `\n── ${job.name}\n${output.replace(reporterTotals, "")}${leftovers}${mark} ${job.name}: ${seconds.toFixed(1)} s`,
  );
  return { ...job, ...counts, ...{ seconds, cpuSeconds, forbidden, skipped: counts.skips.length } };
}

function countTests({ files }, tap, code) {
  const counts = { ...readTap(tap, code), failures: failuresOf(tap) };
  // A process that ended early has failed already.
  const isComplete = /^# tests \d+$/m.test(tap);
  const empty = files && isComplete ? emptyFiles(tap, files) : [];
  const failures = [...counts.failures, ...empty.map((name) => ({ name, reason: "it has no test" }))];
  return { ...counts, failed: counts.failed + empty.length, failures };
}

const readCheck = (code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skips: [] });
const readIfThere = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");

const testArgv = ({ file, files, pure }, tap) => [
  ...[process.execPath, "--require", "./test/runner/note-cpu.cjs", "--require", "./test/runner/load-typescript.cjs"],
  ...(pure ? ["--require", "./test/support/forbid-outside-world.ts"] : []),
  ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
  ...["--test-reporter=tap", `--test-reporter-destination=${tap}`],
  ...(files ? ["./test/runner/load-pure-files.cjs", ...files] : [file]),
];

// When the terminal or the reader of the output is gone, the run still ends its processes.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (error.code !== "EIO" && error.code !== "EPIPE") throw error;
  });
}

main(process.argv.slice(2))
  .catch(async (error) => {
    console.error(error);
    await endAll();
    return 1;
  })
  .then((code) => {
    process.exitCode = code;
  });
