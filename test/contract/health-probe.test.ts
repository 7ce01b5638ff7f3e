// The script on a worker that asks a Service and uses the volume, with a DNS server and a folder in their place.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as dgram from "node:dgram";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { script } from "../../cloud-init/scripts/read-script";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-probe-"));
const volume = path.join(folder, "volume");
const running: ChildProcess[] = [];
const dns = dgram.createSocket("udp4");
let answers: "all" | "none" | "failures" = "all";
const names: string[] = [];

before(async () => {
  fs.mkdirSync(volume);
  fs.writeFileSync(path.join(folder, "worker.env"), `VOLUME_MOUNT_POINT="${volume}"\n`);
  fs.writeFileSync(path.join(folder, "no-volume.env"), "");
  dns.on("message", (question, { port, address }) => {
    names.push(question.subarray(12, -4).toString("latin1"));
    if (answers === "none") return;
    const answer = Buffer.from(question);
    answer.writeUInt16BE(answers === "all" ? 0x8180 : 0x8182, 2);
    answer.writeUInt16BE(answers === "all" ? 1 : 0, 6);
    dns.send(answer, port, address);
  });
  await new Promise<void>((resolve) => dns.bind(0, "127.0.0.1", resolve));
});
after(() => {
  for (const each of running) each.kill();
  dns.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function probe(environment: string) {
  const child = spawn("bash", ["-s", "--", "127.0.0.1"], {
    env: {
      PATH: process.env.PATH,
      NODE_ENVIRONMENT: path.join(folder, environment),
      PROBE_PORT: String(dns.address().port),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.push(child);
  child.stdin.end(script("health/probe"));
  const lines: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
  return { child, lines, of: (target: string) => lines.filter((line) => line.startsWith(`${target} `)) };
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

const isAnswered = (line: string): boolean => /^(service|volume) \d+ \d+$/.test(line);
const isUnanswered = (line: string): boolean => /^(service|volume) \d+ -$/.test(line);

test("requests to the Service and the volume are reported, and the file is removed at the end", async () => {
  answers = "all";
  const { child, of } = probe("worker.env");
  await until("answers", () => ["service", "volume"].every((target) => of(target).filter(isAnswered).length >= 5));
  assert.equal(names[0], "\nkubernetes\u0007default\u0003svc\u0007cluster\u0005local\0");
  assert.match(fs.readdirSync(volume).join(), /^\.groundplane-view-\d+$/);
  child.stdout?.destroy();
  await until("its end", () => child.exitCode !== null);
  await until("no file", () => fs.readdirSync(volume).length === 0);
});

test("a Service that does not answer, or answers with a failure, has no answer", async () => {
  for (const mode of ["none", "failures"] as const) {
    answers = mode;
    const { child, of } = probe("no-volume.env");
    await until(mode, () => of("service").filter(isUnanswered).length >= 3);
    assert.equal(of("service").filter(isAnswered).length, 0);
    assert.deepEqual(of("volume"), []);
    child.kill();
  }
});

test("a volume that cannot be written has no answer, and does not delay the Service", async () => {
  answers = "all";
  fs.renameSync(volume, `${volume}-lost`);
  const { child, of } = probe("worker.env");
  await until("no answer", () => of("volume").filter(isUnanswered).length >= 3);
  await until("the Service", () => of("service").filter(isAnswered).length >= 3);
  child.kill();
  fs.renameSync(`${volume}-lost`, volume);
});

test("a volume that holds its requests has no answer all the time, and does not delay the Service", async () => {
  answers = "all";
  const { child, of } = probe("worker.env");
  await until("its start", () => of("volume").some(isAnswered));
  // No one reads it, so the next request waits to open it.
  const [file = ""] = fs.readdirSync(volume);
  const pid = Number(file.split("-").at(-1));
  execFileSync("mkfifo", [path.join(folder, "held")]);
  fs.renameSync(path.join(folder, "held"), path.join(volume, file));
  await until("no answer", () => of("volume").filter(isUnanswered).length >= 3);
  const before = of("service").length;
  await until("the Service", () => of("service").length > before + 3);
  child.kill();
  await until("its end", () => !fs.existsSync(`/proc/${pid}`));
});
