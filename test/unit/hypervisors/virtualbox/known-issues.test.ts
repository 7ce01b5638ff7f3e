import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, knownIssues, type Reply } from "../../../../hypervisors/virtualbox/known-issues";

const uuid = "6f1d3c1e-0000-5000-8000-000000000001";
const ok: Reply = { exitCode: 0, signal: null, stdout: "", stderr: "" };
const failed = (stderr: string, rest: Partial<Reply> = {}): Reply => ({ ...ok, exitCode: 1, stderr, ...rest });

test("progress output of a successful call is not a failure", () => {
  assert.equal(failureOf(["createmedium"], ok), undefined);
  assert.equal(failureOf(["createmedium"], { ...ok, stderr: "0%...10%...100%\n" }), undefined);
});

test("exit code 0 with an error message is a failure, also on Windows", () => {
  for (const program of ["VBoxManage", "VBoxManage.exe"]) {
    const failure = failureOf(["modifyvm", uuid], { ...ok, stderr: `${program}: error: Invalid NIC slot number\n` });
    assert.equal(failure?.id, "virtualbox-failed");
    assert.match(failure?.hint ?? "", /repeat it manually: VBoxManage modifyvm/);
  }
});

test("every known failure has its id, its code and a next step", () => {
  const messages: readonly (readonly [id: string, stderr: string])[] = [
    ["vm-locked", "The machine 'x' is already locked for a session (or being unlocked)"],
    ["vm-not-ready", "The object is not ready"],
    ["session-lost", "Failed to assign the machine to the session (NS_ERROR_ABORT)"],
    ["no-com-server", "Failed to create the VirtualBox object!"],
    ["no-com-server", "Code CO_E_SERVER_EXEC_FAILURE (0x80080005) - Server execution failed"],
    ["server-lost", "Code 0x800706BA - The RPC server is unavailable"],
    ["hardware-virtualisation-taken", "VT-x is being used by another hypervisor (VERR_VMX_IN_VMX_ROOT_MODE)"],
    ["hardware-virtualisation-missing", "VT-x is not available (VERR_VMX_NO_VMX)"],
    ["no-kernel-driver", "The virtual machine 'x' has terminated unexpectedly during startup with exit code 1 (0x1)"],
    ["vm-missing", `Could not find a registered machine with UUID {${uuid}}`],
    ["disk-full", "VDI: cannot write header (VERR_DISK_FULL)"],
    ["no-permission", "Could not open the medium '/x.vdi' (VERR_ACCESS_DENIED)"],
    ["vm-inaccessible", "The object functionality is limited"],
    ["medium-missing", "Could not find file for the medium '/x.vdi' (VERR_FILE_NOT_FOUND)"],
    ["parent-missing", `Parent medium with UUID {${uuid}} of the medium '/x.vdi' is not found in the media registry`],
    ["medium-in-use", "Medium '/x.vdi' cannot be closed because it is still attached to 1 virtual machines"],
    ["medium-in-use", "Cannot close medium '/x.vdi' because it has 2 child media"],
    ["medium-type-fixed", "Cannot change the type of medium '/x.vdi' because it is attached to 1 virtual machines"],
    ["state-saved", "The machine is not mutable (state is Saved)"],
    ["shrinking", "Shrinking is not yet supported for medium '/x.vdi'"],
    ["no-such-host-adapter", "Nonexistent host networking interface, name 'vboxnet7'"],
    ["already-there", "Machine settings file '/x.vbox' already exists"],
  ];
  for (const [id, text] of messages) {
    const stderr = `VBoxManage: error: ${text}\nVBoxManage: error: Details: code VBOX_E_FILE_ERROR (0x80bb0004)\n`;
    const failure = failureOf(["startvm", uuid], failed(stderr));
    assert.equal(failure?.id, id, text);
    assert.equal(failure?.code, "VBOX_E_FILE_ERROR");
    assert.equal(failure?.verr, /VERR_\w+/.exec(text)?.[0]);
    assert.ok((failure?.hint ?? "").length > 10);
  }
  const covered = new Set(messages.map(([id]) => id));
  // Host-only refusals differ from host to host. The table matches their common part.
  const uncovered = knownIssues.map(({ id }) => id).filter((id) => !covered.has(id));
  assert.deepEqual(uncovered, ["address-not-allowed"]);
});

test("only failures of calls that changed nothing are retried", () => {
  const repeated = knownIssues.filter(({ retry }) => retry !== "never").map(({ id }) => id);
  assert.deepEqual(repeated, ["vm-locked", "vm-not-ready", "session-lost", "no-com-server", "server-lost"]);
});

test("a crashed call is retried, and a timed-out call is not", () => {
  const crash = failureOf(["list", "vms"], { ...ok, exitCode: null, signal: "SIGSEGV" });
  assert.deepEqual([crash?.id, crash?.retry], ["virtualbox-crashed", "always"]);
  assert.match(crash?.problem ?? "", /was killed by SIGSEGV/);
  const behindShell = failureOf(["list", "hdds"], { ...ok, exitCode: 139, stderr: "Segmentation fault" });
  assert.deepEqual([behindShell?.id, behindShell?.retry], ["virtualbox-crashed", "always"]);
  const late = failureOf(["startvm", uuid], failed("VERR_CANCELLED", { timedOut: true }));
  assert.deepEqual([late?.id, late?.retry], ["virtualbox-timeout", "never"]);
});
