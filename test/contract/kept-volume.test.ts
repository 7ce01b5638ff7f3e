// The scripts that keep the definition of a volume and give it back, run in a folder in place of Gluster's.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { beforeEach, test } from "node:test";
import type { Guest } from "../../guests/guest";
import { stackFolder } from "../../host/data-folder";
import { guestPaths } from "../../model/guest-paths";
import { forgetVolume, hasKeptVolume, keepVolume, returnVolume } from "../../provider/resources/kept-volume";
import type { Context } from "../../provider/rpc/resource-handler";
import { ownDataFolder } from "../support/own-data-folder";

ownDataFolder();
const context = { signal: new AbortController().signal } as Context;
const [stack, node] = ["volume", "storage-1"];

let folder = "";
let state = "";
beforeEach(async () => {
  await forgetVolume(stack, node);
  folder = fs.mkdtempSync("/tmp/groundplane-test-kept-volume-");
  state = path.join(folder, "glusterd");
  // What the scripts start and end is noted.
  fs.mkdirSync(path.join(folder, "bin"));
  for (const name of ["systemctl", "pkill"])
    fs.writeFileSync(path.join(folder, "bin", name), `#!/bin/sh\necho ${name} "$@" >>${folder}/log\n`, { mode: 0o755 });
});
test.afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const guest = {
  run: async ([program = "", ...args]: readonly string[], { stdin }: { readonly stdin?: string } = {}) => {
    const { status, stdout, stderr } = spawnSync(
      program,
      args.map((arg) => (arg === guestPaths.glusterState ? state : arg)),
      { input: stdin ?? "", encoding: "utf8", env: { HOME: folder, PATH: `${folder}/bin:${process.env.PATH}` } },
    );
    return { code: status ?? 1, stdout, stderr };
  },
} as unknown as Guest;

const write = (file: string, content: string) => {
  fs.mkdirSync(path.dirname(path.join(state, file)), { recursive: true });
  fs.writeFileSync(path.join(state, file), content);
};
const read = (file: string) => fs.readFileSync(path.join(state, file), "utf8");
const calls = () => (fs.existsSync(`${folder}/log`) ? fs.readFileSync(`${folder}/log`, "utf8").trim().split("\n") : []);
const info = (id: string) => `type=0\nvolume-id=${id}\npassword=secret\n`;
const restarts = ["systemctl stop glusterd", "pkill -x glusterfsd", "systemctl start glusterd"];

const keepFirst = async () => {
  write("glusterd.info", "UUID=peer\noperating-version=110000\n");
  write("vols/data/info", info("one"));
  write("vols/data/bricks/brick", "hostname=storage-1\n");
  write("hooks/1/start/post/S29.sh", "of the former package\n");
  await keepVolume(guest, stack, node, context);
  fs.rmSync(state, { recursive: true });
  write("glusterd.info", "UUID=peer\n");
  write("hooks/1/start/post/S29.sh", "of this package\n");
};

test("a machine without the volume gets it, and keeps what its image brings", async () => {
  await keepFirst();
  assert.equal(await hasKeptVolume(stack, node), true);
  const file = path.join(stackFolder(stack), "kept-volume", node);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  await returnVolume(guest, stack, node, context);
  assert.equal(read("vols/data/info"), info("one"));
  assert.equal(read("vols/data/bricks/brick"), "hostname=storage-1\n");
  assert.match(read("glusterd.info"), /operating-version=110000/);
  assert.equal(read("hooks/1/start/post/S29.sh"), "of this package\n");
  assert.deepEqual(calls(), restarts);
  assert.ok(!fs.existsSync(path.join(state, ".kept")));
  await returnVolume(guest, stack, node, context);
  assert.deepEqual(calls(), restarts, "nothing restarts when it has the volume");
  await forgetVolume(stack, node);
  assert.equal(await hasKeptVolume(stack, node), false);
});

test("a volume that was created meanwhile gives way, and what an interrupted return has left", async () => {
  await keepFirst();
  write("vols/data/info", info("two"));
  write("vols/other/info", info("three"));
  write(".kept/vols/data/info", "half of it");
  await returnVolume(guest, stack, node, context);
  assert.equal(read("vols/data/info"), info("one"));
  assert.ok(!fs.existsSync(path.join(state, "vols/other")));
});

test("options of the same volume that changed meanwhile stay", async () => {
  await keepFirst();
  write("vols/data/info", `${info("one")}network.ping-timeout=9\n`);
  await returnVolume(guest, stack, node, context);
  assert.match(read("vols/data/info"), /ping-timeout=9/);
  assert.deepEqual(calls(), []);
});

test("a machine without a volume has nothing to keep, and a failure says what failed", async () => {
  fs.mkdirSync(state);
  await keepVolume(guest, stack, node, context);
  assert.equal(await hasKeptVolume(stack, node), false);
  await keepFirst();
  fs.writeFileSync(path.join(folder, "bin", "systemctl"), "#!/bin/sh\necho no such unit >&2\nexit 5\n", {
    mode: 0o755,
  });
  await assert.rejects(
    returnVolume(guest, stack, node, context),
    /the definition of the volume cannot be written to storage-1: no such unit/,
  );
});
