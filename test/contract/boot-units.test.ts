// The unit that starts a stack at boot, with systemd's own programs on a folder of its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { describeBootUnit } from "../../cli/boot-unit";
import {
  installBootUnit,
  lingerHint,
  removeBootUnit,
  requireSystemd,
  type UnitManager,
  unitManager,
  unitName,
} from "../../host/boot-units";
import { runCommand } from "../../host/run-command";
import { ownDataFolder } from "../support/own-data-folder";

ownDataFolder();
const without = (program: string) => spawnSync(program, ["--version"]).status !== 0 && `needs ${program}`;
const unit = describeBootUnit("lab", { HOME: "/root", PATH: "/usr/bin:/bin" });

/** A systemd that does not run: units are enabled on a folder, and a reload has nothing to do. */
function managerIn(t: TestContext): UnitManager & { readonly calls: string[] } {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const calls: string[] = [];
  return {
    calls,
    folder: path.join(root, "etc", "systemd", "system"),
    systemctl: ["systemctl", `--root=${root}`],
    wantedBy: "multi-user.target",
    run: async (argv, options) => {
      calls.push(argv.slice(2).join(" "));
      if (argv.includes("daemon-reload")) return { stdout: "", stderr: "", exitCode: 0 };
      return runCommand(argv, options);
    },
  };
}

const hostile = '/tmp/a b/%h/$X/"q"\\\\z;';
for (const project of [unit.project, hostile]) {
  test(`systemd accepts the unit of ${project}`, { skip: without("systemd-analyze") }, async (t) => {
    const manager = managerIn(t);
    const run = async () => ({ stdout: "", stderr: "", exitCode: 0 });
    await installBootUnit({ ...unit, project }, { ...manager, run });
    const file = path.join(manager.folder, unitName("lab"));
    const { stdout, stderr, exitCode } = await runCommand(["systemd-analyze", "verify", file], {
      allowedExitCodes: [0, 1],
      env: { SYSTEMD_UNIT_PATH: `${manager.folder}:/lib/systemd/system`, SYSTEMD_LOG_LEVEL: "warning" },
    });
    const said = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("groundplane-lab"));
    assert.deepEqual(said, []);
    assert.equal(exitCode, 0, stderr);
  });
}

test("the unit is enabled once and removed with its link", { skip: without("systemctl") }, async (t) => {
  const manager = managerIn(t);
  assert.equal(await installBootUnit(unit, manager), true);
  const link = path.join(manager.folder, "multi-user.target.wants", unitName("lab"));
  assert.ok(fs.lstatSync(link).isSymbolicLink());
  assert.deepEqual(manager.calls, ["daemon-reload", `enable ${unitName("lab")}`]);
  assert.equal(await installBootUnit(unit, manager), false, "a second time is no change");
  assert.equal(manager.calls.length, 2);
  assert.equal(await installBootUnit({ ...unit, node: "/opt/node" }, manager), true, "another Node.js");
  assert.equal(await removeBootUnit("other", manager), false);
  assert.equal(await removeBootUnit("lab", manager), true);
  assert.deepEqual(fs.readdirSync(manager.folder), ["multi-user.target.wants"]);
  assert.deepEqual(fs.readdirSync(path.dirname(link)), []);
  assert.equal(await removeBootUnit("lab", manager), false);
});

test("an interrupted installation is completed, and removed in any state", {
  skip: without("systemctl"),
}, async (t) => {
  const manager = managerIn(t);
  const file = path.join(manager.folder, unitName("lab"));
  const states: Readonly<Record<string, () => void>> = {
    "a temporary file": () => fs.writeFileSync(`${file}.1.0123abcd.tmp`, "[Un"),
    "a unit that is not enabled": () => fs.writeFileSync(file, "[Unit]\n"),
    "a link without a unit": () =>
      fs.symlinkSync(file, path.join(manager.folder, "multi-user.target.wants", unitName("lab"))),
  };
  for (const [state, make] of Object.entries(states)) {
    fs.mkdirSync(path.join(manager.folder, "multi-user.target.wants"), { recursive: true });
    make();
    assert.equal(await removeBootUnit("lab", manager), true, state);
    assert.equal(await removeBootUnit("lab", manager), false, state);
    make();
    assert.equal(await installBootUnit(unit, manager), true, state);
    const link = path.join(manager.folder, "multi-user.target.wants", unitName("lab"));
    assert.ok(fs.lstatSync(link).isSymbolicLink(), state);
    await removeBootUnit("lab", manager);
  }
});

test("a systemd that refuses, or that does not run, is named with the next step", async (t) => {
  const manager: UnitManager = { ...managerIn(t), run: () => Promise.reject(new Error("Failed to connect to bus")) };
  await assert.rejects(installBootUnit(unit, manager), { id: "unit-not-enabled" });
  assert.equal(await removeBootUnit("lab", manager), true, "the file is removed all the same");
  await assert.rejects(requireSystemd("lab", path.join(manager.folder, "missing")), {
    id: "no-systemd",
    hint: /npx groundplane start --yes --stack lab$/,
  });
  await requireSystemd("lab", os.tmpdir());
});

test("root's unit is the host's, and another user needs lingering", async (t) => {
  const isRoot = process.getuid?.() === 0;
  assert.equal(unitManager().wantedBy, isRoot ? "multi-user.target" : "default.target");
  if (isRoot) {
    t.mock.method(process as unknown as { getuid(): number }, "getuid", () => 1000);
    assert.match(unitManager().folder, /\/systemd\/user$/);
    assert.deepEqual(unitManager().systemctl, ["systemctl", "--user"]);
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const user = os.userInfo().username;
  assert.match((await lingerHint(folder)) ?? "", new RegExp(`loginctl enable-linger ${user}$`));
  fs.writeFileSync(path.join(folder, user), "");
  assert.equal(await lingerHint(folder), undefined);
});

test("stacks of other data folders have other units", () => {
  assert.match(unitName("lab"), /^groundplane-lab\.[0-9a-f]{8}\.service$/);
  const inherited = process.env.GROUNDPLANE_DATA;
  process.env.GROUNDPLANE_DATA = path.join(os.homedir(), ".local", "share", "groundplane");
  try {
    assert.equal(unitName("lab"), "groundplane-lab.service");
  } finally {
    process.env.GROUNDPLANE_DATA = inherited;
  }
});
