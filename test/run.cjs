// Runs the tiers of tests in order: `node test/run.cjs [tier…]`, all of them by default. The last line is the sum over
// all tiers. CommonJS without dependencies, so that it can say what is wrong when nothing is installed.
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.join(__dirname, "..");
const cores = Math.max(1, os.availableParallelism());

/**
 * `pure` tiers cannot reach the outside world; tiers on real machines run one file after the other. A test file that
 * takes longer than `limitMinutes` hangs.
 */
const tiers = {
  check: { run: runChecks },
  unit: { run: runTests, pure: true, concurrency: cores, limitMinutes: 2 },
  property: { run: runTests, pure: true, concurrency: cores, limitMinutes: 2 },
  golden: { run: runTests, pure: true, concurrency: cores, limitMinutes: 2 },
  contract: { run: runTests, concurrency: 1, limitMinutes: 60 },
  virtualbox: { run: runTests, concurrency: 1, limitMinutes: 60 },
  qemu: { run: runTests, concurrency: 1, limitMinutes: 60 },
  engine: { run: runTests, concurrency: 1, limitMinutes: 60 },
  docs: { run: runTests, concurrency: 1, limitMinutes: 60 },
  e2e: { run: runTests, concurrency: 1, limitMinutes: 60 },
};

const checks = [
  { name: "format and lint", script: "format" },
  { name: "import directions", script: "lint" },
  { name: "types", script: "types" },
];

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

async function main(arguments_) {
  const unknown = arguments_.filter((name) => !Object.hasOwn(tiers, name));
  if (unknown.length > 0) {
    console.error(`unknown tier: ${unknown.join(", ")}\n  next step: use one of ${Object.keys(tiers).join(", ")}`);
    return 2;
  }
  const names = arguments_.length > 0 ? arguments_ : Object.keys(tiers);
  prepare(names);
  const results = [];
  for (const name of names) {
    console.log(`\n── ${name}`);
    const started = performance.now();
    const counts = await tiers[name].run(name, tiers[name]);
    results.push({ name, seconds: (performance.now() - started) / 1000, ...counts });
    // What does not even compile makes every later failure noise.
    if (name === "check" && counts.failed > 0) break;
  }
  return report(results);
}

/** From a fresh clone to what the tiers need: dependencies always; packages, Pulumi and images for the real ones. */
function prepare(names) {
  const isPure = names.every((name) => name === "check" || tiers[name].pure);
  const words = isPure ? ["--install-only"] : ["--prepare-only", "--yes"];
  const { status } = spawnSync(process.execPath, ["cli/start.cjs", ...words], { cwd: root, stdio: "inherit" });
  // Without root, or off Debian, the tests that need real machines skip and say why.
  if (status !== 0) console.log("not everything could be prepared: see above");
}

function report(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log("\ntier        seconds  passed  failed  skipped");
  for (const { name, seconds, passed, failed, skipped } of results) {
    const cells = [seconds.toFixed(1), passed, failed, skipped].map((cell) => String(cell).padStart(7));
    console.log(`${name.padEnd(11)} ${cells.join(" ")}`);
  }
  if (sum("passed") + sum("failed") === 0) console.log("no test ran: this counts as a failure");
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return sum("failed") > 0 || sum("passed") === 0 ? 1 : 0;
}

async function runChecks() {
  let failed = 0;
  for (const { name, script } of checks) {
    const code = await run("npm", ["run", "--silent", script]);
    console.log(`${code === 0 ? "✔" : "✖"} ${name}`);
    if (code !== 0) failed++;
  }
  return { passed: checks.length - failed, failed, skipped: 0 };
}

async function runTests(tier, { pure, concurrency, limitMinutes }) {
  const files = testFilesBelow(path.join("test", tier));
  if (files.length === 0) {
    console.log("no test files");
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  try {
    const tap = path.join(folder, "results.tap");
    const guard = pure ? ["--import", "./test/support/forbid-outside-world.ts"] : [];
    const code = await run(process.execPath, [
      ...["--import", "tsx", ...guard, "--test"],
      ...[`--test-concurrency=${concurrency}`, `--test-timeout=${limitMinutes * 60_000}`],
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...["--test-reporter=tap", `--test-reporter-destination=${tap}`],
      ...files,
    ]);
    return readCounts(tap, code);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Node 20's runner knows no glob patterns. */
function testFilesBelow(folder) {
  const absolute = path.join(root, folder);
  if (!fs.existsSync(absolute)) return [];
  return fs
    .readdirSync(absolute, { recursive: true })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => path.join(folder, name))
    .sort();
}

/** The totals stand at the end of a TAP file, at the margin; a runner that died has written none. */
function readCounts(tap, code) {
  const text = fs.existsSync(tap) ? fs.readFileSync(tap, "utf8") : "";
  const count = (word) => Number([...text.matchAll(new RegExp(`^# ${word} (\\d+)$`, "gm"))].at(-1)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  return {
    passed: count("pass"),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: count("skipped") + count("todo"),
  };
}

/** Output goes straight through; a signal that ends this runner ends the tests first. */
function run(command, arguments_) {
  return new Promise((resolve) => {
    const child = spawn(command, arguments_, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    const forward = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, forward);
    const finish = (code) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, forward);
      resolve(code);
    };
    child.once("error", (error) => {
      console.error(error.message);
      finish(1);
    });
    child.once("exit", (code) => finish(code ?? 1));
  });
}
