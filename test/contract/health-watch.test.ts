// The script that tells `view` when a question may have another answer, with programs that stand for those of a machine.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { script } from "../../cloud-init/scripts/read-script";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-watch-"));
const events = path.join(folder, "events");
const pidFile = path.join(folder, "pid");
const running: ChildProcess[] = [];
let isLeader = 0;
let isHanging = false;
const etcd = http.createServer((_request, response) => {
  if (isHanging) return;
  const other = "etcd_server_proposals_committed_total 5\n".repeat(400);
  response.end(`${other}etcd_server_has_leader 1\netcd_server_is_leader ${isLeader}\n${other}`);
});

before(async () => {
  await new Promise<void>((resolve) => etcd.listen(0, "127.0.0.1", resolve));
  fs.writeFileSync(events, "");
  fs.writeFileSync(path.join(folder, "ip"), `#!/bin/sh\necho $$ >${pidFile}\nexec tail -n +1 -s 0.1 -f ${events}\n`, {
    mode: 0o755,
  });
  fs.writeFileSync(path.join(folder, "node.env"), 'API_ADDRESS="192.168.56.10"\n');
});
after(() => {
  for (const each of running) each.kill();
  etcd.close();
  etcd.closeAllConnections();
  fs.rmSync(folder, { recursive: true, force: true });
});

function watch(...questions: readonly string[]) {
  const child = spawn("bash", ["-s", "--", ...questions], {
    env: {
      PATH: `${folder}:${process.env.PATH}`,
      NODE_ENVIRONMENT: path.join(folder, "node.env"),
      ETCD_METRICS_PORT: String((etcd.address() as AddressInfo).port),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.push(child);
  child.stdin.end(script("health/watch"));
  const lines: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
  return { child, lines };
}

/** Only what never happens takes so long: a host whose processors are saturated delays everything. */
const LIMIT_MS = 60_000;

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!condition()) {
    assert.ok(performance.now() < end, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const address = (of: string, word = ""): string => `${word}2: dmz    inet ${of}/24 scope global secondary dmz\n`;

test("changes of the floating IP are reported, and no others", async () => {
  const { lines } = watch("floating-ip");
  await until("its start", () => isFollowing());
  fs.appendFileSync(events, address("192.168.56.11"));
  fs.appendFileSync(events, address("192.168.56.10"));
  await until("the address", () => lines.includes("floating-ip"));
  fs.appendFileSync(events, address("192.168.56.10", "Deleted "));
  await until("its removal", () => lines.filter((line) => line === "floating-ip").length === 2);
  assert.ok(!lines.includes("etcd-status"));
});

test("a change of etcd's leadership is reported", async () => {
  const { lines } = watch("etcd-status");
  await until("the first report", () => lines.includes("etcd-status"));
  const before = lines.length;
  isLeader = 1;
  await until("the election", () => lines.slice(before).includes("etcd-status"));
});

test("signs of life come all the time, also while the member of etcd does not answer", async () => {
  isHanging = true;
  const { lines } = watch("etcd-status");
  const dots = () => lines.filter((line) => line === ".").length;
  const began = performance.now();
  await until("ten signs", () => dots() >= 10);
  const tookMs = performance.now() - began;
  // Only a host whose processors are saturated is slower.
  assert.ok(tookMs >= 3_000, `${tookMs} ms: more often than it has to be`);
  isHanging = false;
  await until("the member", () => lines.includes("etcd-status"));
});

test("a machine with nothing to report gives signs of life", async () => {
  const { lines } = watch();
  await until("two signs", () => lines.length >= 2);
  assert.deepEqual([...new Set(lines)], ["."]);
});

test("it ends with its connection, and leaves no process behind", async () => {
  fs.rmSync(pidFile);
  const { child } = watch("floating-ip", "etcd-status");
  await until("its start", () => isFollowing());
  child.stdout?.destroy();
  await until("its end", () => child.exitCode !== null);
  await until("the end of what it started", () => !isFollowing());
});

/** Whether the program that it waits for runs. */
function isFollowing(): boolean {
  const pid = fs.existsSync(pidFile) ? fs.readFileSync(pidFile, "utf8").trim() : "";
  return pid !== "" && fs.existsSync(`/proc/${pid}`);
}
