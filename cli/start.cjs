// `npm start`: from a fresh clone to the command `start`. Plain Node without dependencies, because it installs them.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { prepareEnvironment } = require("../host/prepare-environment.cjs");
const { bundles, sources } = require("./freshness.cjs");

const root = path.join(__dirname, "..");
const OLDEST_NODE = [20, 19];
const BUNDLES = bundles.map((name) => path.join(root, "dist", `${name}.js`));

checkNode();
prepareEnvironment();
if (!areDependenciesInstalled())
  run("installing dependencies", ...npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]));
if (!areBundlesFresh()) run("building", process.execPath, ["build.cjs"]);
// For tests that need only the code.
if (process.argv[2] === "--install-only") process.exit(0);
process.argv.splice(1, 1, path.join(__dirname, "groundplane.cjs"), "start");
require(BUNDLES[0]);

/** Runs npm by its script file: on Windows the `npm` command is a batch file, which only a shell can start. */
function npm(words) {
  const file = process.env.npm_execpath;
  return file?.endsWith(".js") ? [process.execPath, [file, ...words]] : ["npm", words];
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(
    `Node.js ${process.versions.node} is too old`,
    `install Node.js ${OLDEST_NODE.join(".")} or later: https://nodejs.org/`,
  );
}

/** Compares npm's record of installed packages with the lock file; after a checkout, dates say nothing. */
function areDependenciesInstalled() {
  const wanted = readJson(path.join(root, "package-lock.json"))?.packages ?? {};
  const installed = readJson(path.join(root, "node_modules", ".package-lock.json"))?.packages;
  if (!installed) return false;
  return Object.entries(wanted).every(
    ([name, { version, optional }]) =>
      name === "" || (optional && !installed[name]) || installed[name]?.version === version,
  );
}

function areBundlesFresh() {
  const built = Math.min(...BUNDLES.map(changedAt));
  return sources.every((source) => newestBelow(path.join(root, source)) <= built);
}

function newestBelow(file) {
  if (!fs.existsSync(file)) return 0;
  if (!fs.statSync(file).isDirectory()) return changedAt(file);
  return Math.max(changedAt(file), ...fs.readdirSync(file).map((name) => newestBelow(path.join(file, name))));
}

/** Milliseconds; 0 for a missing file. */
function changedAt(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function run(title, command, arguments_) {
  refuseClosedClone(title);
  process.stderr.write(`${title}: ${path.basename(command)} ${arguments_.join(" ")}\n`);
  const { status, error } = spawnSync(command, arguments_, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status === 0) return;
  fail(`${title} failed${error ? `: ${error.message}` : ""}`, "see the output above, then run npm start again");
}

function refuseClosedClone(title) {
  try {
    fs.accessSync(root, fs.constants.W_OK | fs.constants.X_OK);
  } catch ({ code }) {
    const why = code === "EROFS" ? "its file system is mounted read-only" : "this user may not write there";
    fail(`${title} is not possible in ${root}: ${why}`, "mount it for writing, or use a clone of your own");
  }
}

function fail(problem, hint) {
  process.stderr.write(`error: ${problem}\n  next step: ${hint}\n`);
  process.exit(1);
}
