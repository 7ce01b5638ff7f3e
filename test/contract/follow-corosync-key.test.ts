// The command that makes all members of Corosync use the key in their files, with programs that stand for those of the cluster.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, beforeEach, test } from "node:test";
import { script } from "../../cloud-init/scripts/read-script";
import { runCommand } from "../../host/run-command";

const place = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-corosync-key-"));
const at = (name: string): string => path.join(place, name);
after(() => fs.rmSync(place, { recursive: true, force: true }));

const program = (name: string, text: string): void =>
  fs.writeFileSync(at(name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
const holders = (...names: readonly string[]): string =>
  names.map((name) => `echo 'resource floating-ip is running on: ${name}'`).join("\n");

beforeEach(() => {
  fs.rmSync(at("reloads"), { force: true });
  fs.rmSync(at("questions"), { force: true });
  fs.writeFileSync(at("follow-corosync-key"), script("balancer/follow-corosync-key"));
  program("systemctl", "exit 0");
  program("corosync-cfgtool", `echo "$*" >>${at("reloads")}`);
  program("corosync-quorumtool", "echo 'Total votes:      3'");
  program("crm_resource", holders("balancer-1"));
});

/** `patience` in seconds: the command may wait so long. A busy host needs most of it where the command is expected to succeed. */
const follow = async ({ patience }: { readonly patience: number }) => {
  const env = { PATH: `${place}:${process.env.PATH}`, PATIENCE: String(patience), ANSWERS: "2" };
  const options = { env, allowedExitCodes: [0, 1] };
  const { exitCode, stderr } = await runCommand(["bash", at("follow-corosync-key"), "3"], options);
  const reloads = fs.existsSync(at("reloads")) ? fs.readFileSync(at("reloads"), "utf8") : "";
  return [exitCode, stderr, reloads];
};
const incomplete = "not all 3 members of Corosync take part, or not one balancer holds the floating IP\n";

test("one member tells all to read their files again, and waits until they stay together", async () => {
  assert.deepEqual(await follow({ patience: 60 }), [0, "", "-R\n"]);
  // As measured: at first nothing has happened, then a member loses the others and returns.
  const count = `count=$(($(cat ${at("questions")} 2>/dev/null || echo 0) + 1)); echo "$count" >${at("questions")}`;
  program("corosync-quorumtool", `${count}; ((count == 2)) && echo 'Total votes: 1' || echo 'Total votes: 3'`);
  assert.deepEqual((await follow({ patience: 60 })).slice(0, 2), [0, ""]);
  assert.equal(fs.readFileSync(at("questions"), "utf8"), "4\n", "its count begins again after the second answer");
});

test("it does not end while a member is missing, or two balancers hold the floating IP", async () => {
  program("corosync-quorumtool", "echo 'Total votes:      2'");
  assert.deepEqual(await follow({ patience: 1 }), [1, incomplete, "-R\n"]);
  program("corosync-quorumtool", "echo 'Total votes:      3'");
  program("crm_resource", holders("balancer-1", "balancer-2"));
  assert.deepEqual((await follow({ patience: 1 })).slice(0, 2), [1, incomplete]);
});

test("Corosync that cannot reload is asked again, and one that does not run begins with the file", async () => {
  program("corosync-cfgtool", "echo 'Could not initialize corosync configuration API error CS_ERR_LIBRARY'; exit 1");
  const [code, said] = await follow({ patience: 60 });
  assert.deepEqual(
    [code, /^Corosync does not read its files again: Could not initialize/.test(String(said))],
    [1, true],
  );
  program("systemctl", "exit 3");
  assert.deepEqual(await follow({ patience: 60 }), [0, "", ""]);
});
