// Commands of users who may not do what they ask for. Needs root, to become another user.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { unitName } from "../../host/boot-units";
import { asNamespaceRoot } from "../../host/namespaces";
import type { CommandResult } from "../../model/commands";
import { makeOrdinaryUser, type OrdinaryUser } from "../support/ordinary-user";

const skip = process.getuid?.() === 0 ? false : "needs root";
const checkout = path.resolve(__dirname, "..", "..");
let folder = "";
let user: OrdinaryUser;
let userWithoutIds: OrdinaryUser;

before(() => {
  if (skip) return;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-user-"));
  fs.chmodSync(folder, 0o755);
  for (const name of ["Pulumi.yaml", "package.json", "dist", "stacks", "cloud-init", "cli/groundplane.cjs"]) {
    fs.cpSync(path.join(checkout, name), path.join(folder, "project", name), { recursive: true });
  }
  user = makeOrdinaryUser(folder);
  userWithoutIds = makeOrdinaryUser(folder, false);
  chown(path.join(folder, "project"), fs.statSync(user.home).uid);
});
after(() => {
  if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

function chown(place: string, uid: number): void {
  fs.chownSync(place, uid, uid);
  if (fs.statSync(place).isDirectory()) for (const name of fs.readdirSync(place)) chown(path.join(place, name), uid);
}

const as = (who: OrdinaryUser, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  who.run([process.execPath, path.join(folder, "project/cli/groundplane.cjs"), ...words], {
    env: { ...env, CI: "true" },
    allowedExitCodes: [0, 1, 2],
  });

/** State of a stack `lab`, as root leaves it. */
function rootsData(mode: number): string {
  const data = fs.mkdtempSync(path.join(folder, "data-"));
  fs.chmodSync(data, 0o755);
  const stacks = path.join(data, "state", ".pulumi", "stacks", "groundplane");
  fs.mkdirSync(stacks, { recursive: true });
  fs.writeFileSync(path.join(stacks, "lab.json"), "{}");
  fs.mkdirSync(path.join(data, "stacks", "lab"), { recursive: true });
  fs.chmodSync(path.join(data, "state"), mode);
  return data;
}

for (const mode of [0o700, 0o755]) {
  test(`commands on a stack that root created say so (state folder ${mode.toString(8)})`, { skip }, async () => {
    const env = { GROUNDPLANE_DATA: rootsData(mode), GROUNDPLANE_DRIVER: "fake" };
    for (const words of [["status"], ["kubeconfig"], ["ssh", "master-1"], ["stop"], ["destroy", "--yes"], ["start"]]) {
      const { exitCode, stderr } = await as(user, words, env);
      assert.equal(exitCode, 1, words.join(" "));
      assert.match(
        stderr,
        /the stack lab is another user's: .* belongs to root, and this command runs as groundplane-test/,
      );
      assert.match(stderr, /next step: run the command as root, e\.g\. sudo -u root env GROUNDPLANE_DATA=/);
    }
    const { stdout } = await as(user, ["doctor"], env);
    assert.match(stdout, /PROBLEM the stack lab is another user's/);
  });
}

test("an ordinary user learns first that system containers need root, and nothing that root does not need", {
  skip,
}, async () => {
  const { exitCode, stderr } = await as(userWithoutIds, ["start"], { GROUNDPLANE_DRIVER: "nspawn" });
  assert.equal(exitCode, 1);
  assert.match(stderr, /cannot run the stack's machines:\n {2}- system containers need root\n/);
  assert.match(stderr, /next step: run the command with sudo/);
  assert.doesNotMatch(stderr, /uidmap|subordinate|apt-get/);
});

test("`destroy` removes the user's unit that starts the stack at boot, also one that was written half", {
  skip,
}, async () => {
  const data = path.join(user.home, "data");
  const inherited = process.env.GROUNDPLANE_DATA;
  process.env.GROUNDPLANE_DATA = data;
  const name = unitName("small");
  if (inherited === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = inherited;
  const units = path.join(user.home, ".config", "systemd", "user");
  for (const words of [
    ["start", "--no-at-boot"],
    ["destroy", "--yes"],
  ]) {
    fs.mkdirSync(units, { recursive: true });
    fs.writeFileSync(path.join(units, name), "[Unit]\n");
    chown(path.join(user.home, ".config"), fs.statSync(user.home).uid);
    const env = { GROUNDPLANE_DRIVER: "fake", GROUNDPLANE_DATA: data };
    const { exitCode, stderr } = await as(user, [...words, "--stack", "small"], env);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^small is no longer started at boot$/m);
    assert.deepEqual(fs.readdirSync(units), [], words.join(" "));
  }
});

test("an ordinary user removes images whose files belong to subordinate ids, but none of another user", {
  skip,
}, async (t) => {
  const { exitCode: refused } = await user.run([...asNamespaceRoot, "true"], { allowedExitCodes: [0, 1] });
  if (refused !== 0) return t.skip("users of this host have no user namespaces");
  const data = fs.mkdtempSync(path.join(user.home, "data-"));
  const image = path.join(data, "images", "infrastructure-0123456789ab");
  fs.mkdirSync(path.join(image, "layers", "etc"), { recursive: true });
  fs.writeFileSync(path.join(image, "layers", "etc", "shadow"), "", { mode: 0o600 });
  chown(data, fs.statSync(user.home).uid);
  for (const name of ["layers/etc/shadow", "layers/etc", "layers"])
    fs.chownSync(path.join(image, name), 7_000_001, 7_000_001);
  const env = { GROUNDPLANE_DRIVER: "fake", GROUNDPLANE_DATA: data };
  const { exitCode, stdout, stderr } = await as(user, ["prune", "--yes"], env);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^removed 1 of 1, /m);
  assert.deepEqual(fs.readdirSync(path.join(data, "images")), []);
  const foreign = await as(user, ["prune", "--yes"], { ...env, GROUNDPLANE_DATA: rootsData(0o755) });
  assert.equal(foreign.exitCode, 1);
  assert.match(foreign.stderr, /belongs to root, and this command runs as groundplane-test/);
});

test("an ordinary user learns all obstacles of a driver that needs no root at once", { skip }, async () => {
  // A PATH with a folder that only root can enter, and without QEMU and newuidmap.
  const bin = path.join(folder, "bin");
  fs.mkdirSync(bin);
  for (const name of ["unshare", "mount", "sh", "true", "touch", "setpriv"])
    fs.symlinkSync(`/usr/bin/${name}`, path.join(bin, name));
  const closed = path.join(folder, "closed");
  fs.mkdirSync(closed, { mode: 0o700 });
  const { stderr } = await as(userWithoutIds, ["start"], { GROUNDPLANE_DRIVER: "qemu", PATH: `${closed}:${bin}` });
  for (const obstacle of [/QEMU|qemu-system-x86_64/, /newuidmap is not installed/, /has no subordinate ids/]) {
    assert.match(stderr, obstacle);
  }
  assert.match(stderr, /usermod --add-subuids/);
  assert.doesNotMatch(stderr, /internal error/);
});

test("a data folder behind another user's closed folder is named, with the folder that is in the way", {
  skip,
}, async () => {
  const closed = path.join(folder, "roots-own");
  fs.mkdirSync(closed, { mode: 0o700 });
  const env = { GROUNDPLANE_DATA: path.join(closed, "deeper", "data") };
  const { stderr } = await as(user, ["start"], { ...env, GROUNDPLANE_DRIVER: "qemu" });
  assert.match(
    stderr,
    /machines:\n {2}- groundplane-test cannot look into \S*roots-own, on the way to \S*data \(the data folder/,
  );
  const status = await as(user, ["status"], { ...env, GROUNDPLANE_DRIVER: "fake" });
  assert.match(status.stderr, /^error: groundplane-test cannot look into \S*roots-own/);
  // With root, which this driver needs, the folder is not in the way.
  const containers = await as(user, ["start"], { ...env, GROUNDPLANE_DRIVER: "nspawn" });
  assert.match(containers.stderr, /machines:\n {2}- system containers need root\n/);
});
