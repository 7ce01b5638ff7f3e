// One process at a time breaks a stack, with real processes.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { after, test } from "node:test";
import { markFaults } from "../../host/fault-mark";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { UserError } from "../../model/user-error";
import { withFaultLock } from "../../verify/fault-lock";
import { describeFaults, endInterruptedFaults } from "../../verify/interrupted-faults";
import { ownDataFolder } from "../support/own-data-folder";
import { typescriptArguments } from "../support/typescript-arguments";

ownDataFolder();
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** A process that injects faults into the stack until it is killed. */
async function breakElsewhere(stack: string): Promise<ChildProcess> {
  const file = path.resolve(__dirname, "../../verify/fault-lock");
  const hold = `withFaultLock("${stack}", () => new Promise(() => { process.stdout.write("held"); setInterval(() => {}, 1000); }))`;
  const child = spawn(
    process.execPath,
    [...typescriptArguments, "-e", `const { withFaultLock } = require(${JSON.stringify(file)}); ${hold}`],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

test("a second process is refused at once, another stack is not, and a killed process leaves nothing", async () => {
  const other = await breakElsewhere("lab");
  const refused = await withFaultLock("lab", async () => "injected").catch((error: unknown) => error);
  assert.ok(refused instanceof UserError && refused.id === "faults-running", String(refused));
  assert.equal(await withFaultLock("small", async () => "injected"), "injected");
  other.kill("SIGKILL");
  await once(other, "exit");
  assert.equal(await withFaultLock("lab", async () => "injected"), "injected");
});

test("a fault whose process was killed is named, and its links are connected once", async () => {
  const connected: string[] = [];
  const hypervisor = {
    listObjects: async () => [
      { kind: "machine", name: "balancer-1" },
      { kind: "machine", name: "balancer-2" },
      { kind: "disk", name: "brick" },
    ],
    inspectMachine: async ({ name }: { name: string }) => ({ power: name === "balancer-1" ? "running" : "stopped" }),
    links: { setLink: async ({ name }: { name: string }, up: boolean) => void connected.push(`${name} ${up}`) },
  } as unknown as Hypervisor;
  const said: string[] = [];
  const end = () =>
    endInterruptedFaults(
      "lab",
      async () => hypervisor,
      (text) => void said.push(text),
    );
  await end();
  assert.equal(await describeFaults("lab"), undefined);
  await markFaults("lab", ["isolation"]);
  const other = await breakElsewhere("lab");
  assert.match((await describeFaults("lab")) ?? "", /injects isolation now/);
  await assert.rejects(end(), /injects a fault into lab now/);
  assert.deepEqual(connected, []);
  other.kill("SIGKILL");
  await once(other, "exit");
  assert.match((await describeFaults("lab")) ?? "", /killed while it injected isolation: `npx groundplane start/);
  await end();
  await end();
  assert.deepEqual(connected, ["balancer-1 true"]);
  assert.equal(said.length, 1);
  assert.equal(await describeFaults("lab"), undefined);
});

test("an error of the fault itself is not one of the lock", async () => {
  const locked = new UserError("locked", "a machine is locked", "wait");
  await assert.rejects(
    withFaultLock("lab", () => Promise.reject(locked)),
    (error) => error === locked,
  );
});
