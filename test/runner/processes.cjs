// The processes that the runner starts. Each has its own process group and a mark in its environment, so that the runner
// finds and ends the processes that a test file leaves behind.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");

/** An interrupted file cleans up. It destroys machines, which takes time. */
const GRACE_MS = 180_000;
const MARK = "GROUNDPLANE_TEST_FILE";

const running = new Map();
let marks = 0;
let ending;

/**
 * Runs a command to its end.
 * @param onOutput gets each chunk of its output
 * @param limitMs ends the command after this time
 * @param onStart gets the process id at once
 * @returns its exit code, and the command lines of the processes that it left behind and that were killed
 */
async function runMarked(argv, { cwd, env = {}, limitMs, onStart, onOutput }) {
  const mark = `${process.pid}.${++marks}`;
  const child = spawn(argv[0], argv.slice(1), {
    cwd,
    env: { ...process.env, ...env, [MARK]: mark },
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", onOutput);
  const ended = new Promise((resolve) => {
    child.once("error", (error) => {
      onOutput(`${error.message}\n`);
      resolve(1);
    });
    // Not "close", because processes that it leaves behind may keep its output open.
    child.once("exit", (code) => resolve(code ?? 1));
  });
  running.set(child, ended);
  const timer =
    limitMs && setTimeout(() => void end(child, `still running after ${limitMs / 60_000} minutes`, onOutput), limitMs);
  const code = await ended;
  clearTimeout(timer);
  running.delete(child);
  return { code, left: await killMarked(mark) };
}

/** Ends a command. It may clean up first, and is killed if that takes too long. */
async function end(child, why, onOutput = () => undefined) {
  onOutput(`${why}: it is ended\n`);
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await running.get(child);
  clearTimeout(timer);
}

/** Ends all running commands. The second call does not wait for their clean-up. */
async function endAll() {
  if (ending) {
    for (const child of running.keys()) child.kill("SIGKILL");
    return ending;
  }
  ending = Promise.all([...running.keys()].map((child) => end(child, "interrupted")));
  return ending;
}

const isEnding = () => ending !== undefined;

/** Searches twice, because a process may start another one during the search. */
async function killMarked(mark) {
  const killed = [];
  for (let round = 0; round < 2; round++) {
    const found = markedProcesses(mark);
    if (found.length === 0) break;
    for (const { pid, argv } of found) {
      killed.push(argv);
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended on its own.
      }
    }
    await sleep(100);
  }
  return [...new Set(killed)];
}

function markedProcesses(mark) {
  if (process.platform !== "linux") return [];
  return fs.readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const environment = fs.readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
      if (!environment.includes(`${MARK}=${mark}`)) return [];
      return [
        { pid: Number(name), argv: fs.readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").join(" ").trim() },
      ];
    } catch {
      return []; // the process has just ended, or belongs to another user
    }
  });
}

module.exports = { runMarked, endAll, isEnding };
