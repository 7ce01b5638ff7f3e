// Images and disks after failures: who owns them, what survives, and what is reported.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { ForeignObjectError, ImageMissingError } from "../../hypervisors/hypervisor";
import { entriesBelow } from "../support/folder-contents";
import { onVirtualbox } from "../support/on-virtualbox";
import { BOOT_IMAGE, virtualboxStack } from "../support/virtualbox-stack";

onVirtualbox("media and owners", (host) => {
  const [stack, other] = [virtualboxStack(host, "media"), virtualboxStack(host, "other")];
  const imageFile = () => /^Location: +(.*)$/m.exec(imageBlock)?.[1] as string;
  let imageBlock = "";

  test("an image outlives the last machine of one stack and the machines of another", async () => {
    await stack.make(stack.spec(1));
    await other.make(other.spec(1));
    imageBlock = (await host.manage("list", "hdds")).split("\n\n").find((block) => /multiattach/.test(block)) ?? "";
    await stack.remove(1);
    await stack.driver.releaseImage({ name: BOOT_IMAGE });
    assert.ok(await stack.driver.inspectImage({ name: BOOT_IMAGE }), "another stack's machine is based on it");
    await other.driver.startMachine(other.spec(1));
    assert.equal((await other.inspect(other.spec(1))).power, "running");
    await other.remove(1);
    assert.ok(await stack.driver.inspectImage({ name: BOOT_IMAGE }), "it is removed only when it is released");
    await stack.driver.releaseImage({ name: BOOT_IMAGE });
    assert.equal(await stack.driver.inspectImage({ name: BOOT_IMAGE }), undefined);
    for (const list of ["vms", "hdds", "dvds"]) assert.equal((await host.manage("list", list)).trim(), "");
    assert.deepEqual(leftFiles(), []);
  });

  test("an image without its file is detected, and recreated for the machines that are based on it", async () => {
    const machine = stack.spec(1);
    const made = await stack.make(machine);
    fs.renameSync(imageFile(), `${imageFile()}.away`);
    await removeTraces();
    assert.equal(await stack.driver.inspectImage({ name: BOOT_IMAGE }), undefined);
    await assert.rejects(
      stack.driver.ensureMachine(machine, { userData: "", metaData: "", networkConfig: "" }, made.owner),
      ImageMissingError,
    );
    await stack.driver.ensureImage({ name: BOOT_IMAGE });
    assert.ok(await stack.driver.inspectImage({ name: BOOT_IMAGE }));
    assert.deepEqual((await stack.make(machine)).spec, machine);
    await stack.driver.startMachine(machine);
    await stack.driver.hardKill?.hardKill(machine);
  });

  test("a machine without its system disk is recreated", async () => {
    const machine = stack.spec(1);
    const before = await stack.inspect(machine);
    const file = /^Location: +(.*)$/m.exec(
      (await host.manage("list", "hdds")).split("\n\n").find((block) => /differencing/.test(block)) ?? "",
    )?.[1];
    assert.ok(file);
    fs.rmSync(file);
    await removeTraces();
    const again = await stack.make(machine);
    assert.deepEqual(again.spec, machine);
    assert.notEqual(again.generation, before.generation);
    await stack.driver.startMachine(machine);
    await stack.remove(1);
  });

  test("a foreign machine with the same name stops the operation and stays unchanged", async () => {
    const machine = stack.spec(2);
    const outsider = "99999999-0000-4000-8000-000000000001";
    const name = `${stack.name}-${machine.name}`;
    await host.manage(
      "createvm",
      "--name",
      name,
      "--uuid",
      outsider,
      "--basefolder",
      path.join(host.data, "theirs"),
      "--register",
    );
    await assert.rejects(stack.make(machine), ForeignObjectError);
    await assert.rejects(stack.driver.removeMachine(machine, stack.owner(machine.name)), ForeignObjectError);
    assert.match(await host.manage("list", "vms"), new RegExp(outsider));
    await host.manage("unregistervm", outsider, "--delete");
    await stack.make(machine);
    await stack.remove(2);
  });

  test("a foreign machine with the same UUID stops the operation and stays unchanged", async () => {
    const machine = stack.spec(3);
    await host.manage(
      "createvm",
      "--name",
      "theirs",
      "--uuid",
      machine.uuid,
      "--basefolder",
      path.join(host.data, "theirs"),
      "--register",
    );
    await assert.rejects(stack.make(machine), ForeignObjectError);
    await stack.driver
      .removeMachine(machine, stack.owner(machine.name))
      .catch((error) => assert.ok(error instanceof ForeignObjectError));
    assert.match(await host.manage("list", "vms"), /"theirs"/);
    await host.manage("unregistervm", machine.uuid, "--delete");
    await stack.remove(3);
    fs.rmSync(path.join(host.data, "theirs"), { recursive: true, force: true });
  });

  test("a full disk is reported and leaves no partial entry, and the operation succeeds with enough free space", {
    timeout: 15 * 60_000,
  }, () => {
    const folder = path.join(path.dirname(host.data), "full");
    fs.mkdirSync(folder);
    const script = require.resolve("../support/make-on-full-disk");
    // A small private file system, which only this process and its children see.
    const mounted = `mount -t tmpfs -o size=64m none ${folder} && exec "$0" "$@"`;
    const said = execFileSync(
      "unshare",
      ["--mount", "sh", "-c", mounted, process.execPath, "--import", "tsx", script, JSON.stringify(host.root)],
      { encoding: "utf8", env: { ...process.env, TMPDIR: folder } },
    );
    assert.deepEqual(JSON.parse(said), { failed: ["disk-full"], power: "running", left: [] });
  });

  const leftFiles = () =>
    entriesBelow(host.data).filter(
      (file) => !file.startsWith("images") && fs.lstatSync(path.join(host.data, file)).isFile(),
    );

  /** VBoxSVC notices changed files only at its start. */
  async function removeTraces(): Promise<void> {
    for (const pid of host.pids()) process.kill(pid, "SIGTERM");
    for (let tries = 0; host.pids().length > 0; tries++) {
      assert.ok(tries < 100, "VBoxSVC does not end");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});
