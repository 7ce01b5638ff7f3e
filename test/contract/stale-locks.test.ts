// Locks that Pulumi leaves in a local backend, with real processes.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { runningCommand } from "../../host/process-table";
import { removeStaleLocks } from "../../toolchain/run-pulumi/prepare-stack";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
const inherited = process.env.GROUNDPLANE_DATA;
const children: ChildProcess[] = [];

before(() => {
  process.env.GROUNDPLANE_DATA = root;
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
  if (inherited === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = inherited;
  fs.rmSync(root, { recursive: true });
});

/** A process whose program has this name. */
async function runAs(name: string): Promise<number> {
  const program = path.join(root, name);
  fs.copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["300"], { stdio: "ignore" });
  children.push(child);
  await new Promise((resolve, reject) => child.once("spawn", () => resolve(undefined)).once("error", reject));
  return child.pid as number;
}

function lockOf(pid: number, hostname = os.hostname()): string {
  const folder = path.join(root, "state", ".pulumi", "locks", "organization", "groundplane", "small");
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${pid}-${hostname}.json`);
  fs.writeFileSync(file, JSON.stringify({ pid, username: "root", hostname, timestamp: new Date() }));
  return file;
}

test("the lock of a process that has ended, or that is no Pulumi, is removed", async () => {
  const ended = await runAs("pulumi-that-ends");
  const child = children.at(-1) as ChildProcess;
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  assert.equal(await runningCommand(ended), undefined);
  // Process 1 of every host, this process, and one whose process id nothing has.
  const locks = [ended, 1, process.pid, await runAs("editor"), 2 ** 22 + 1].map((pid) => lockOf(pid));
  await removeStaleLocks("small");
  for (const file of locks) assert.equal(fs.existsSync(file), false, file);
});

test("a live lock is never removed: a running Pulumi, another host, a lock that cannot be read", async () => {
  const locks = [lockOf(await runAs("pulumi")), lockOf(await runAs(".pulumi-wrapped")), lockOf(1, "another-host")];
  const unreadable = lockOf(7, "unreadable");
  fs.writeFileSync(unreadable, "{");
  await removeStaleLocks("small");
  for (const file of [...locks, unreadable]) assert.equal(fs.existsSync(file), true, file);
});
