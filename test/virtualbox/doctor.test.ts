// `groundplane doctor` and its smoke test on the real VirtualBox. It has no kernel module here, so the tests' launcher
// starts the machines.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { localHost } from "../../host/local-host";
import { findVBoxManage } from "../../hypervisors/choice/vboxmanage-program";
import { driverByName } from "../../hypervisors/driver-by-name";
import { type SmokeStep, smokeTest } from "../../hypervisors/smoke/smoke-test";
import type { HostFinding } from "../../model/host-finding";
import { makeVirtualboxHost, type VirtualboxHost } from "../support/virtualbox-host";
import { obtainVirtualboxRoot } from "../support/virtualbox-root";

let host: VirtualboxHost;
let skip: string | undefined;
before(async () => {
  const root = await obtainVirtualboxRoot();
  if (typeof root === "string") skip = root;
  else host = makeVirtualboxHost(root);
});
after(() => host?.close());

const driver = driverByName("virtualbox", localHost);
const noTelling = { tell: () => {}, signal: new AbortController().signal };
const states = (steps: readonly SmokeStep[]) => steps.map(({ step, state }) => `${step} ${state}`);

test("doctor reports the installed version and the missing kernel module", async (t) => {
  if (skip) return t.skip(skip);
  assert.equal(await findVBoxManage(localHost), host.vboxManage);
  const findings: readonly HostFinding[] = (await driver.examineHost?.()) ?? [];
  const found = (id: string): HostFinding =>
    findings.find((each) => each.id === id) ?? assert.fail(`nothing about ${id}`);
  assert.match(found("virtualbox-version").text, /^VirtualBox 7\.\d+\.\d+/);
  assert.equal(found("virtualbox-version").state, "ok");
  assert.match(found("kvm").text, new RegExp(`Linux ${fs.readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()}`));
  if (fs.existsSync("/dev/vboxdrv")) return t.skip("VirtualBox's kernel module is loaded here");
  assert.match(found("kernel-module").text, /^no driver module/);
  assert.match(found("kernel-module").hint ?? "", /virtualbox-dkms/);
  assert.ok((await driver.problems()).some(({ id }) => id === "kernel-module"));
});

test("the smoke test creates, boots and removes a machine, and leaves nothing", { timeout: 15 * 60_000 }, async (t) => {
  if (skip) return t.skip(skip);
  const steps = await smokeTest(driver, localHost, noTelling);
  for (const { step, seconds, text } of steps) t.diagnostic(`${step}: ${text} (${seconds} s)`);
  assert.deepEqual(states(steps), [
    "image ok",
    "create ok",
    "start ok",
    "boot ok",
    "way in ok",
    "stop ok",
    "remove ok",
  ]);
  assert.match(steps.find(({ step }) => step === "boot")?.text ?? "", /booted from sector 0/);
  await nothingIsLeft();
});

test("a failed step ends the smoke test with its reason, and the machine is removed", {
  timeout: 15 * 60_000,
}, async (t) => {
  if (skip) return t.skip(skip);
  const steps = await smokeTest({ ...driver, startMachine: async () => {} }, localHost, { ...noTelling, bootMs: 500 });
  assert.deepEqual(states(steps), ["image ok", "create ok", "start ok", "boot failed", "remove ok"]);
  assert.match(steps.find(({ state }) => state === "failed")?.text ?? "", /no successful boot within 0\.5 s/);
  await nothingIsLeft();
});

async function nothingIsLeft(): Promise<void> {
  for (const list of ["vms", "hdds", "dvds"]) assert.equal(await host.manage("list", list), "", list);
  const files = fs.readdirSync(host.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.deepEqual(
    files.map(({ parentPath, name }) => path.relative(host.data, path.join(parentPath, name))),
    [],
  );
}
