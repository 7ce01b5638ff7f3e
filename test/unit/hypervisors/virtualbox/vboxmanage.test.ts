import assert from "node:assert/strict";
import { test } from "node:test";
import { localHost } from "../../../../host/local-host";
import * as commands from "../../../../hypervisors/virtualbox/commands";
import type { Reply } from "../../../../hypervisors/virtualbox/known-issues";
import { createHostOnlyInterface } from "../../../../hypervisors/virtualbox/network-commands";
import { createVirtualBox } from "../../../../hypervisors/virtualbox/vboxmanage";

const uuid = "6f1d3c1e-0000-5000-8000-000000000001";
const ok = (stdout = ""): Reply => ({ exitCode: 0, signal: null, stdout, stderr: "" });
const error = (text: string): Reply => ({
  exitCode: 1,
  signal: null,
  stdout: "",
  stderr: `VBoxManage: error: ${text}\n`,
});
const crash: Reply = { exitCode: null, signal: "SIGSEGV", stdout: "", stderr: "" };
const locked = error("The machine 'x' is already locked for a session (or being unlocked)");

/** Gives the scripted replies in order, and refuses unexpected calls. */
function scripted(script: readonly (readonly [call: string, reply: Reply])[]) {
  const left = [...script];
  const pauses: number[] = [];
  let inside = 0;
  const box = createVirtualBox({
    host: {
      ...localHost,
      clock: { ...localHost.clock, sleep: async (milliseconds) => void pauses.push(milliseconds) },
    },
    async execute(argv) {
      const [call, reply] = left.shift() ?? ["nothing more", ok()];
      assert.equal(argv.join(" "), call);
      assert.equal(inside, 1, "every call is made under the lock");
      return reply;
    },
    async locked(action) {
      inside++;
      try {
        return await action();
      } finally {
        inside--;
      }
    },
  });
  return { box, pauses, end: () => assert.deepEqual(left, [], "calls that were expected and not made") };
}

const modify = commands.modifyVm(uuid, ["--memory", "512"]);
const modifyLine = modify.argv.join(" ");
const showLine = `showvminfo ${uuid} --machinereadable`;

test("a call on a machine whose session is closing is retried with growing pauses", async () => {
  const { box, pauses, end } = scripted([
    [modifyLine, locked],
    [showLine, ok('VMState="poweroff"\n')],
    [modifyLine, locked],
    [showLine, ok('VMState="poweroff"\n')],
    [modifyLine, ok()],
  ]);
  await box.session((session) => session.call(modify));
  end();
  assert.equal(pauses.length, 2);
  assert.ok((pauses[0] ?? 0) <= 250 && (pauses[1] ?? 0) <= 500 && (pauses[1] ?? 0) >= 375);
});

test("a call does not wait for the session of a running machine", async () => {
  const { box, pauses, end } = scripted([
    [modifyLine, locked],
    [showLine, ok('VMState="running"\n')],
  ]);
  await assert.rejects(
    box.session((session) => session.call(modify)),
    { id: "vm-locked" },
  );
  end();
  assert.deepEqual(pauses, []);
});

for (const [what, reply] of [
  ["an object that is not ready", error("The object is not ready")],
  ["a server that does not answer yet", error("Failed to create the VirtualBox object!")],
  ["a machine that is ending", error("Failed to get a console object from the direct session")],
  ["an error of a read that nothing explains", error("Something new")],
  ["a crash", crash],
] as const) {
  test(`${what} is tried at most six times`, async () => {
    const attempts = Array.from({ length: 6 }, () => ["list vms", reply] as const);
    const { box, pauses, end } = scripted(attempts);
    await assert.rejects(box.session((session) => session.vms()));
    end();
    assert.equal(pauses.length, 5);
    assert.ok(pauses.every((milliseconds) => milliseconds <= 4_000));
  });
}

for (const [id, reply] of [
  ["disk-full", error("cannot create image (VERR_DISK_FULL)")],
  ["virtualbox-failed", { ...ok(), stderr: "VBoxManage: error: Invalid NIC slot number\n" }],
  ["virtualbox-timeout", { exitCode: null, signal: "SIGTERM", stdout: "", stderr: "", timedOut: true }],
] as const) {
  test(`${id} fails at once`, async () => {
    const { box, pauses, end } = scripted([[modifyLine, reply]]);
    await assert.rejects(
      box.session((session) => session.call(modify)),
      { id },
    );
    end();
    assert.deepEqual(pauses, []);
  });
}

for (const [what, reply, isRepeated] of [
  ["that VBoxSVC has not received is repeated", error("Failed to create the VirtualBox object!"), true],
  ["during which VBoxSVC ends is not repeated", error("Code 0x800706BA - The RPC server is unavailable"), false],
  ["that crashes is not repeated", crash, false],
] as const) {
  test(`the creation of another object ${what}`, async () => {
    const { box, pauses, end } = scripted([
      ["hostonlyif create", reply],
      ["list hostonlyifs", ok("Name: vboxnet0\n")],
      ...(isRepeated ? [["hostonlyif create", ok()] as const] : []),
    ]);
    const call = box.session((session) => session.call(createHostOnlyInterface(["vboxnet0"])));
    await (isRepeated ? call : assert.rejects(call));
    end();
    assert.equal(pauses.length, 1);
  });
}

test("a call that another process has done already succeeds, and any other failure is the call's own", async () => {
  const refused = { ...ok(), exitCode: 1, stderr: "VBoxManage: error: Already paused\n" };
  for (const isDone of [true, false]) {
    const { box, pauses, end } = scripted([
      [`controlvm ${uuid} pause`, refused],
      [showLine, ok(`VMState="${isDone ? "paused" : "running"}"\n`)],
    ]);
    const call = box.session((session) => session.call(commands.pause(uuid)));
    await (isDone ? call : assert.rejects(call, /Already paused/));
    end();
    assert.deepEqual(pauses, []);
  }
});

test("a disk that has left the registry by itself is forgotten, and one that is still there is a failure", async () => {
  const unknown = error("The given path 'one' is not fully qualified");
  const listed = ok("UUID: one\nParent UUID: base\nState: created\nType: normal (base)\nLocation: /a\n");
  for (const left of [ok(), listed]) {
    const { box, end } = scripted([
      ["closemedium disk one", unknown],
      ["list hdds", left],
    ]);
    const call = box.session((session) => session.call(commands.forgetDisk("one")));
    await (left === listed ? assert.rejects(call, /not fully qualified/) : call);
    end();
  }
});

test("answers are cached for callers that accept an old answer, until a change", async () => {
  const medium = (state: string) =>
    ok(`UUID: 1\nParent UUID: base\nState: ${state}\nType: normal (base)\nLocation: /a\n`);
  const { box, end } = scripted([
    ["list hdds", medium("created")],
    [modifyLine, ok()],
    ["list hdds", medium("inaccessible")],
    ["list hdds", medium("created")],
  ]);
  const state = (maxAgeMs: number) => box.session(async (session) => (await session.media(maxAgeMs))[0]?.state);
  assert.equal(await state(60_000), "created");
  assert.equal(await state(60_000), "created");
  await box.session((session) => session.call(modify));
  assert.equal(await state(60_000), "inaccessible");
  assert.equal(await state(0), "created");
  end();
});

test("an unregistered machine is not a failure", async () => {
  const { box, end } = scripted([[showLine, error(`Could not find a registered machine with UUID {${uuid}}`)]]);
  assert.equal(await box.session((session) => session.vm(uuid)), undefined);
  end();
});

test("the program's version is queried once, and again after a failure", async () => {
  const types = ok("ID / Description: Debian12_64 -- Debian 12 Bookworm (64-bit)\r\n");
  const { box, end } = scripted([
    ["--version", ok("6.1.0r1\n")],
    ["list ostypes", types],
    ["--version", ok("7.2.22r1\r\n")],
    ["list ostypes", types],
  ]);
  await assert.rejects(box.dialect(), { id: "virtualbox-too-old" });
  assert.equal((await box.dialect()).version, "7.2.22r1");
  assert.equal((await box.dialect()).osType, "Debian12_64");
  end();
});
