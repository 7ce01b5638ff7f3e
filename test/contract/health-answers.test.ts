// The script that `status` sends to machines, with programs that are slow, absent or answer.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { script } from "../../cloud-init/scripts/read-script";
import { readBackups } from "../../verify/health/backup-answers";
import type { Finding } from "../../verify/health/findings";
import { AnswerReader, inapplicable, type Question, questions } from "../../verify/health/questions";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-health-"));
after(() => fs.rmSync(folder, { recursive: true }));

const all = Object.keys(questions) as Question[];
const environment = {
  ...{
    NODE_NAME: "balancer-1",
    NODE_ROLE: "balancer",
    NODE_INTERFACE: "lo",
    GATEWAY_ADDRESS: "127.0.0.2",
    NODE_ADDRESS: "127.0.0.1",
    API_ADDRESS: "192.168.56.10",
    API_NAME: "api.lab.internal",
  },
  ...{ API_PORT: "1", FLOATING_IP_BY: "pacemaker", VOLUME_NAME: "data", VOLUME_BRICKS: "10.0.0.1:/a 10.0.0.2:/a" },
};

/** @param programs scripts that stand for programs of the machine */
function ask(asked: readonly Question[], programs: Readonly<Record<string, string>> = {}, variables: object = {}) {
  const bin = fs.mkdtempSync(path.join(folder, "bin-"));
  for (const [name, text] of Object.entries(programs)) {
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  const file = path.join(bin, "node.env");
  const lines = Object.entries({ ...environment, ...variables }).map(([name, value]) => `${name}="${value}"\n`);
  fs.writeFileSync(file, lines.join(""));
  const reader = new AnswerReader(Date.now());
  const { stdout, status } = spawnSync("bash", ["-s", "--", ...asked], {
    env: { PATH: `${bin}:${process.env.PATH}`, NODE_ENVIRONMENT: file },
    input: script("health/answer"),
    encoding: "utf8",
  });
  assert.equal(status, 0);
  for (const line of stdout.split("\n")) reader.read(line);
  return reader.answers;
}

test("the script has every question of the table, and each answer ends", () => {
  const answers = ask(all);
  assert.deepEqual([...answers.keys()].sort(), [...all].sort());
  for (const [question, { text }] of answers) assert.doesNotMatch(text, /ask_\w+: command not found/, question);
});

test("questions are answered at the same time", () => {
  const slow = {
    gluster: "sleep 1",
    crm_mon: "sleep 1; echo '<resources/>'",
    "corosync-quorumtool": "sleep 1; echo Quorate: Yes",
  };
  const started = performance.now();
  const answers = ask(["bricks", "heals", "pacemaker", "corosync"], slow);
  assert.ok(performance.now() - started < 2_500);
  assert.match(answers.get("corosync")?.text ?? "", /Quorate/);
  assert.equal(answers.get("bricks")?.text, "expected 10.0.0.1:/a 10.0.0.2:/a");
});

test("questions that do not apply say so", () => {
  const other = { FLOATING_IP_BY: "keepalived", VOLUME_BRICKS: "10.0.0.1:/a" };
  const answers = ask(["corosync", "pacemaker", "heals", "mounts"], {}, other);
  for (const [question, { code }] of answers) assert.equal(code, inapplicable, question);
});

test("units that run all the time and were stopped are listed", () => {
  const unit = (id: string, restart: string, state: string, condition = "yes"): string =>
    `Id=${id}\n${restart === "" ? "" : `Restart=${restart}\n`}ActiveState=${state}\nConditionResult=${condition}\n`;
  const units = [
    unit("approver.service", "always", "inactive"),
    unit("waits.service", "always", "activating"),
    unit("without-order.service", "always", "inactive", "no"),
    unit("ended.service", "no", "inactive"),
    unit("renew.timer", "", "inactive"),
    unit("limit.timer", "", "active"),
  ].join("\n");
  const systemctl = (text: string) => `case "$*" in *Wants*) echo '${text}' ;; *) cat <<'END'\n${units}END\n;; esac`;
  const answer = ask(["stopped-units"], { systemctl: systemctl("a.service b.timer") }).get("stopped-units");
  assert.deepEqual(answer, { code: 0, text: "approver.service\nrenew.timer" });
  assert.equal(ask(["stopped-units"], { systemctl: systemctl("") }).get("stopped-units")?.code, inapplicable);
});

test("a master tells its newest backup, and why the last attempt failed", () => {
  const newest = path.join(folder, "newest");
  const set = { BACKUP_EVERY: "21600", BACKUP_STATE: newest };
  const failing = { systemctl: "exit 0", journalctl: "echo 'the storage volume cannot be mounted'" };
  assert.equal(ask(["backups"]).get("backups")?.code, inapplicable);
  const first = ask(["backups"], { systemctl: "exit 1" }, set).get("backups") ?? assert.fail();
  assert.match(first.text, /^every 21600\nnow \d+\nset \d+$/);
  assert.deepEqual(readBackups("master-1", first), {
    ...{ of: "master-1", state: "healthy", observed: "no backup yet, expected every 6 h" },
  });
  fs.writeFileSync(newest, "lab-20260101T000000Z.backup 1048576\n");
  const [{ state, observed }] = [
    readBackups("master-1", ask(["backups"], failing, set).get("backups") ?? first),
  ].flat() as [Finding];
  assert.equal(state, "unhealthy");
  assert.match(observed, /^2026-01-01 00:00 UTC, \d+ h ago, 1\.0 MiB; the storage volume cannot be mounted$/);
});

test("the clock's time is read with the answer", () => {
  const { skewMs } = ask(["clock"], { "systemd-detect-virt": "exit 0" }).get("clock") ?? {};
  assert.equal(skewMs, 0);
  const late = ask(["clock"], { "systemd-detect-virt": "exit 0", date: "echo 1500000000000" }).get("clock");
  assert.ok((late?.skewMs ?? 0) > 1e9);
});

test("a virtual machine tells what its clock follows, and whether this responds", () => {
  const asked = (chronyc: string) =>
    ask(["clock"], { "systemd-detect-virt": "exit 1", date: "echo 1795000000000", chronyc }).get("clock");
  const both =
    'case "$*" in "-n -c tracking") echo 7F7F0101,,10,1.0,Normal ;; "-n -c sources") echo ^,?,192.0.2.1 ;; esac';
  assert.deepEqual(asked(both)?.text.split("\n").slice(1), ["7F7F0101,,10,1.0,Normal", "^,?,192.0.2.1"]);
  const silent = asked("echo 506 Cannot talk to daemon; exit 1");
  assert.deepEqual([silent?.code, silent?.text], [1, "1795000000000\n506 Cannot talk to daemon"]);
});

test("a program that fails gives its message and code", () => {
  const failing = { crm_mon: "echo 'crm_mon: not connected' >&2; exit 102" };
  assert.deepEqual(ask(["pacemaker"], failing).get("pacemaker"), { code: 102, text: "crm_mon: not connected" });
});
