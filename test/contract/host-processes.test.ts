import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { withFileLock } from "../../host/file-lock";
import { readJson, removeTree, writeFileAtomic, writeJson } from "../../host/file-store";
import { isSameProcess, processStartTime } from "../../host/process-state";
import { runCommand } from "../../host/run-command";
import { killProcess, startProcess } from "../../host/start-process";
import type { CommandError } from "../../model/commands";
import type { LockOptions } from "../../model/host";
import { until } from "../support/host-observations";
import { typescriptArguments } from "../support/typescript-arguments";

let folder = "";
before(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "gp-host-"));
});
after(() => removeTree(folder));

test("a command gets its stdin, and the caller gets lines of output and the exit code", async () => {
  const lines: string[] = [];
  const result = await runCommand(["sh", "-c", "cat; printf half >&2; exit 3"], {
    stdin: "one\ntwo\n",
    onLine: (line, stream) => lines.push(`${stream} ${line}`),
    allowedExitCodes: [3],
  });
  assert.deepEqual(result, { stdout: "one\ntwo\n", stderr: "half", exitCode: 3 });
  assert.deepEqual(lines.sort(), ["stderr half", "stdout one", "stdout two"]);
});

test("a missing program and a failing program are CommandErrors", async () => {
  await assert.rejects(runCommand(["/no/such/program"]), (error: CommandError) => error.exitCode === null);
  await assert.rejects(runCommand(["sh", "-c", "echo why >&2; exit 7"]), (error: CommandError) => {
    assert.equal(error.exitCode, 7);
    return /why/.test(error.message);
  });
});

test("a time limit and an abort end the command together with its children", async () => {
  const argv = ["sh", "-c", "sleep 30 & echo $!; wait"];
  const pids: number[] = [];
  const onLine = (line: string) => pids.push(Number(line));
  await assert.rejects(runCommand(argv, { timeoutMs: 300, onLine }), /took longer than 300 ms/);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  await assert.rejects(runCommand(argv, { signal: abort.signal, onLine }), /was aborted/);
  assert.equal(pids.length, 2);
  // They are killed, but the kernel may take a moment to remove them.
  await until("they are gone", async () => pids.every((pid) => processStartTime(pid) === undefined), 5_000);
});

test("files of a started process are its user's alone; a short command keeps the user's umask", async () => {
  const outputFile = path.join(folder, "umask");
  const before = process.umask(0o022);
  try {
    await startProcess(["sh", "-c", 'umask; : >"$1"', "sh", `${outputFile}-made`], {
      outputFile,
      outputLimit: 100_000,
    });
    assert.equal(process.umask(), 0o022, "that of this process is as before");
    await until("it has ended", async () => (await fs.readFile(outputFile, "utf8")) === "0077\n", 5_000);
    await until(
      "it has written",
      () =>
        fs.stat(`${outputFile}-made`).then(
          () => true,
          () => false,
        ),
      5_000,
    );
    assert.equal((await fs.stat(`${outputFile}-made`)).mode & 0o777, 0o600);
    assert.equal((await runCommand(["sh", "-c", "umask"])).stdout, "0022\n");
  } finally {
    process.umask(before);
  }
});

test("a started process is identified by its start time and killed once", async () => {
  const outputFile = path.join(folder, "output");
  const process = await startProcess(["sh", "-c", "echo started; exec sleep 30"], { outputFile, outputLimit: 100_000 });
  assert.ok(isSameProcess(process.pid, process.startTime));
  assert.ok(!isSameProcess(process.pid, "1"), "another start time is another process");
  while ((await fs.readFile(outputFile, "utf8")) !== "started\n") await new Promise((r) => setTimeout(r, 10));
  await killProcess(process);
  assert.ok(!isSameProcess(process.pid, process.startTime));
  await killProcess(process);
});

test("a started process keeps no token of the user, and its files are private", async () => {
  const outputFile = path.join(folder, "environment");
  const made = path.join(folder, "made");
  process.env.GROUNDPLANE_TEST_TOKEN = "hush";
  const started = await startProcess(["sh", "-c", `env; touch ${made}; echo end; exec sleep 30`], {
    outputFile,
    outputLimit: 100_000,
  });
  await until("it has printed", async () => /^end$/m.test(await fs.readFile(outputFile, "utf8")));
  const output = await fs.readFile(outputFile, "utf8");
  assert.doesNotMatch(output, /hush/);
  assert.match(output, /^PATH=/m);
  assert.equal((await fs.stat(made)).mode & 0o777, 0o600);
  await killProcess(started);
  delete process.env.GROUNDPLANE_TEST_TOKEN;
});

test("the output of a started process has a limit, beyond which the process goes on", async () => {
  const outputFile = path.join(folder, "flood");
  const argv = ["sh", "-c", "head -c 300000 /dev/zero; exec sleep 30"];
  const started = await startProcess(argv, { outputFile, outputLimit: 1000 });
  await until("it is full", async () => (await fs.stat(outputFile)).size === 1000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await fs.stat(outputFile)).size, 1000);
  assert.ok(isSameProcess(started.pid, started.startTime));
  await killProcess(started);
});

test("the output of a started process with a limit is in the file while the process runs", async () => {
  const outputFile = path.join(folder, "console");
  const started = await startProcess(["sh", "-c", "echo booted; exec sleep 30"], { outputFile, outputLimit: 100_000 });
  try {
    await until("the line is there", async () => (await fs.readFile(outputFile, "utf8")) === "booted\n");
  } finally {
    await killProcess(started);
  }
});

test("files are written with their mode and read back, and a missing record is undefined", async () => {
  const file = path.join(folder, "deep", "secret.json");
  await writeJson(file, { a: 1 });
  assert.equal((await fs.stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readJson(file), { a: 1 });
  await writeFileAtomic(file, "x", 0o640);
  assert.equal((await fs.stat(file)).mode & 0o777, 0o640);
  await assert.rejects(readJson(file), /is not valid JSON/);
  assert.equal(await readJson(path.join(folder, "none.json")), undefined);
  assert.deepEqual(await fs.readdir(path.dirname(file)), ["secret.json"]);
});

test("a file lock excludes other processes and other callers in the same process", async () => {
  const file = path.join(folder, "counter");
  await fs.writeFile(file, "0");
  const count = async () => {
    const value = Number(await fs.readFile(file, "utf8"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await fs.writeFile(file, String(value + 1));
  };
  const script = `
    const { withFileLock } = require(${JSON.stringify(require.resolve("../../host/file-lock"))});
    const fs = require("node:fs/promises");
    const file = ${JSON.stringify(file)};
    const count = ${count.toString()};
    (async () => { for (let i = 0; i < 10; i++) await withFileLock(file, count); })();`;
  const other = runCommand([process.execPath, ...typescriptArguments, "-e", script], {
    cwd: path.join(__dirname, "../.."),
  });
  await Promise.all(Array.from({ length: 10 }, () => withFileLock(file, count)));
  await other;
  assert.equal(await fs.readFile(file, "utf8"), "20");
});

test("waiting callers of a process hand the lock over, and other processes still get it", async (t) => {
  if (process.platform !== "linux") return t.skip("elsewhere a lock starts no program");
  const programs = path.join(folder, "programs");
  const starts = path.join(folder, "starts");
  await fs.mkdir(programs);
  await fs.writeFile(
    path.join(programs, "flock"),
    `#!/bin/sh\necho >>"${starts}"\nPATH=/usr/bin:/bin exec flock "$@"\n`,
    {
      mode: 0o755,
    },
  );
  const before = process.env.PATH;
  t.after(() => {
    process.env.PATH = before;
  });
  const file = path.join(folder, "handed over");
  process.env.PATH = `${programs}:${before}`;
  const order: number[] = [];
  const callers = Array.from({ length: 20 }, (_, index) => withFileLock(file, async () => void order.push(index)));
  const failing = withFileLock(file, () => Promise.reject(new Error("no")));
  await assert.rejects(failing, /^Error: no$/);
  await Promise.all(callers);
  process.env.PATH = before;
  assert.deepEqual(order, [...order.keys()]);
  assert.equal((await fs.readFile(starts, "utf8")).length, 1);
  await assert.rejects(fs.stat(`${file}.lock`), "the last caller releases it");

  let isWanted = true;
  const busy = async () => {
    while (isWanted) await withFileLock(file, () => new Promise((resolve) => setTimeout(resolve, 20)));
  };
  const all = [busy(), busy(), busy()];
  const script = `
    const { withFileLock } = require(${JSON.stringify(require.resolve("../../host/file-lock"))});
    withFileLock(${JSON.stringify(file)}, async () => console.log("got"), { timeoutMs: 30_000 });`;
  const other = await runCommand([process.execPath, ...typescriptArguments, "-e", script], {
    cwd: path.join(__dirname, "../.."),
  });
  isWanted = false;
  await Promise.all(all);
  assert.match(other.stdout, /^got$/m);
});

test("a lock holds in another network and pid namespace, and leaves nothing behind", async (t) => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return t.skip("needs Linux and root");
  const file = path.join(folder, "namespaces", "deep", "lock");
  const script = `
    const { withFileLock } = require(${JSON.stringify(require.resolve("../../host/file-lock"))});
    withFileLock(${JSON.stringify(file)}, async () => {}, { timeoutMs: 200 }).then(
      () => console.log("free"), (error) => console.log(error.id));`;
  const node = [process.execPath, ...typescriptArguments, "-e", script];
  const elsewhere = () => runCommand(["unshare", "--net", "--pid", "--fork", "--mount-proc", ...node]);
  await withFileLock(file, async () => assert.match((await elsewhere()).stdout, /^locked$/m));
  assert.match((await elsewhere()).stdout, /^free$/m);
  await assert.rejects(fs.stat(path.join(folder, "namespaces")), "its folders go with it");
});

/** Another process, which has the lock until it is killed. */
async function startHolder(file: string, options: LockOptions = {}): Promise<ChildProcess> {
  const script = `
    const { withFileLock } = require(${JSON.stringify(require.resolve("../../host/file-lock"))});
    const hold = () => new Promise(() => { console.log("held"); setInterval(() => {}, 1000); });
    withFileLock(${JSON.stringify(file)}, hold, ${JSON.stringify(options)});`;
  const holder = spawn(process.execPath, [...typescriptArguments, "-e", script], {
    cwd: path.join(__dirname, "../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return holder;
}

async function kill(holder: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  holder.kill(signal);
  await once(holder, "exit");
}

test("the lock of a killed process is released at once", async () => {
  const file = path.join(folder, "taken");
  const holder = await startHolder(file);
  try {
    await assert.rejects(
      withFileLock(file, async () => {}, { timeoutMs: 100 }),
      /has held the lock/,
    );
  } finally {
    await kill(holder, "SIGKILL");
  }
  const started = performance.now();
  await withFileLock(file, async () => {}, { timeoutMs: 5_000 });
  assert.ok(performance.now() - started < 2_000);
});

test("a lock that children may outlive stays held after the process has ended by any signal", async (t) => {
  if (process.platform !== "linux") return t.skip("elsewhere only SIGKILL leaves the lock folder");
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
    const file = path.join(folder, `outlived ${signal}`);
    await kill(await startHolder(file, { childrenOutlive: true }), signal);
    const next = withFileLock(file, async () => {}, { timeoutMs: 1_000 });
    await assert.rejects(next, { id: "locked" }, signal);
  }
});
