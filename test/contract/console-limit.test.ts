// What keeps the consoles of virtual machines small, with writers that open their file as VirtualBox and QEMU do.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { limitFile } from "../../host/output-limits";
import { until } from "../support/host-observations";

const script = path.join(__dirname, "../../hypervisors/virtualbox/limit-consoles.sh");
const KIB = 64;

test("a console stays small while its machine writes on, and its end is kept", {
  skip: process.platform !== "linux",
}, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-consoles-"));
  const file = path.join(folder, "gateway", "console.log");
  fs.mkdirSync(path.dirname(file));
  // Not O_APPEND: each write continues where the last one ended.
  const machine = fs.openSync(file, "w");
  const limiter = spawn("sh", [script, folder, String(KIB), "0.05"], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(limiter, "exit");
  let complaints = "";
  limiter.stderr.on("data", (text) => (complaints += text));
  t.after(() => limiter.kill());
  const usedKib = () => (fs.statSync(file).blocks * 512) / 1024;
  const write = (name: string) => fs.writeSync(machine, `${`${name} `.repeat(KIB * 256)}end of ${name}\n`);

  for (const name of ["aaa", "bbb", "ccc"]) {
    write(name);
    await until(`${name} is emptied`, async () => usedKib() < KIB);
    const old = fs.readFileSync(`${file}.old`, "utf8");
    assert.match(old, new RegExp(`${name} end of ${name}\\n$`));
    assert.equal(old.length, KIB * 1024, "the end of it");
  }
  fs.writeSync(machine, "later\n");
  assert.match(fs.readFileSync(file, "utf8"), /^\0*later\n$/);
  assert.ok(usedKib() < KIB);

  // A machine with little output, and one that is removed, are left alone.
  fs.mkdirSync(path.join(folder, "balancer-1"));
  fs.writeFileSync(path.join(folder, "balancer-1", "console.log"), "boot\n");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(fs.readdirSync(path.join(folder, "balancer-1")), ["console.log"]);
  fs.closeSync(machine);
  fs.rmSync(folder, { recursive: true });
  assert.equal((await ended)[0], 0, "it ends with the folder");
  assert.equal(complaints, "");
});

test("QEMU's console is emptied above its limit, and its content is kept", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-consoles-"));
  const file = path.join(folder, "console.log");
  try {
    await limitFile(file, 10);
    const machine = fs.openSync(file, "a");
    fs.writeSync(machine, "short\n");
    await limitFile(file, 10);
    assert.deepEqual(fs.readdirSync(folder), ["console.log"]);
    fs.writeSync(machine, "much longer\n");
    await limitFile(file, 10);
    fs.writeSync(machine, "later\n");
    assert.equal(fs.readFileSync(file, "utf8"), "later\n", "without a hole, because QEMU appends");
    assert.equal(fs.readFileSync(`${file}.old`, "utf8"), "short\nmuch longer\n");
    fs.closeSync(machine);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
