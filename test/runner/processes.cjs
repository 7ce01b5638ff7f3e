// The processes that the runner starts: each in a process group of its own, all of them with a mark in their
// environment, so that those which a file leaves behind are found and ended.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");

/** A file that is ended cleans up: it destroys machines, which takes its time. */
const GRACE_MS = 180_000;
const MARK = "GROUNDPLANE_TEST_FILE";

const running = new Map();
let marks = 0;
let ending;

/**
 * Runs a command to its end.
 * @param onOutput gets each piece of its output
 * @param limitMs after this it is ended
 * @returns its exit code, and the command lines of processes that it left behind and that have been killed
 */
async function runMarked(argv, { cwd, env = {}, limitMs, onOutput }) {
  const mark = `${process.pid}.${++marks}`;
  const child = spawn(argv[0], argv.slice(1), {
    cwd,
    env: { ...process.env, ...env, [MARK]: mark },
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", onOutput);
  const ended = new Promise((resolve) => {
    child.once("error", (error) => {
      onOutput(`${error.message}\n`);
      resolve(1);
    });
    // Not "close": what it leaves behind may hold its output open.
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

/** Ends a command: it may clean up first, and is killed when that takes too long. */
async function end(child, why, onOutput = () => undefined) {
  onOutput(`${why}: it is ended\n`);
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await running.get(child);
  clearTimeout(timer);
}

/** Ends everything that runs; the second call does so without clean-up. */
async function endAll() {
  if (ending) {
    for (const child of running.keys()) child.kill("SIGKILL");
    return ending;
  }
  ending = Promise.all([...running.keys()].map((child) => end(child, "interrupted")));
  return ending;
}

const isEnding = () => ending !== undefined;

/** Twice: a process may start another one while it is looked for. */
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
        // It has ended by itself.
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
      return []; // it has just ended, or belongs to another user
    }
  });
}

module.exports = { runMarked, endAll, isEnding };
