// `start --at-boot` on the fake driver, as on a host with systemd: in a mount namespace with folders of its own for units. Needs root.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { configurePools, fakeDriverEnvironment, runInProject } from "../support/fake-driver-commands";
import { copyProject, type ProjectCopy } from "../support/project-copy";

const STACK = "tiny";
const skip = process.getuid?.() === 0 ? false : "needs root";
let project: ProjectCopy;
let place = "";
const units = () => path.join(place, "units");

/** systemd does not run here: a unit is enabled by its link, and a reload has nothing to do. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >>"$CALLS"
[ "$1" = enable ] || exit 0
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -sf "/etc/systemd/system/$2" "/etc/systemd/system/multi-user.target.wants/$2"
`;

before(async () => {
  if (skip) return;
  await obtainPulumi();
  project = copyProject(dataFolder(), "a b%c");
  place = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  for (const folder of ["units", "run/systemd/system", "bin"])
    fs.mkdirSync(path.join(place, folder), { recursive: true });
  fs.writeFileSync(path.join(place, "bin", "systemctl"), SYSTEMCTL, { mode: 0o755 });
  configurePools(project, STACK, { balancers: 1, masters: 1, workers: 1, storage: 0 });
});
after(() => {
  project?.remove();
  if (place) fs.rmSync(place, { recursive: true, force: true });
});

const MOUNTS = 'mount --bind "$0/units" /etc/systemd/system; mount --bind "$0/run" /run; exec "$@"';

async function mustSucceed(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const inNamespace = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", MOUNTS, place, ...argv];
  const { code, output } = await runInProject(project, inNamespace, env);
  assert.equal(code, 0, `${argv.join(" ")}: ${output}`);
  return output;
}

const groundplane = (...words: readonly string[]): Promise<string> =>
  mustSucceed(
    [process.execPath, "cli/groundplane.cjs", ...words, "--stack", STACK],
    fakeDriverEnvironment(project, {
      ...{ PATH: `${path.join(place, "bin")}:${process.env.PATH}`, CALLS: path.join(place, "calls") },
    }),
  );

test("the unit is written once, its command works with the unit's environment alone, and `destroy` removes it", {
  skip,
}, async () => {
  const first = await groundplane("start", "--at-boot");
  assert.match(first, /^tiny is up\.$/m);
  const [name = "", ...others] = fs.readdirSync(units()).filter((file) => file.endsWith(".service"));
  assert.deepEqual(others, []);
  assert.ok(first.includes(`${name} starts tiny at boot\n`), first);
  const second = await groundplane("start", "--at-boot");
  assert.ok(second.includes(`${name} starts tiny at boot; no changes\n`), second);
  const calls = fs.readFileSync(path.join(place, "calls"), "utf8");
  assert.equal(calls, `daemon-reload\nenable ${name}\n`);

  const unit = fs.readFileSync(path.join(units(), name), "utf8");
  const settings = (key: string) =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);
  const plain = (text: string) => text.replaceAll("%%", "%");
  const words = (text: string) => (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => plain(word.replace(/^"|"$/g, "")));
  const environment = Object.fromEntries(
    settings("Environment").map((text) => words(text)[0]?.split(/=(.*)/s).slice(0, 2) ?? []),
  );
  assert.equal(environment.GROUNDPLANE_DRIVER, "fake");
  assert.equal(plain(settings("WorkingDirectory")[0] ?? ""), project.folder);
  const boot = await mustSucceed(words(settings("ExecStart")[0] ?? ""), environment);
  assert.match(boot, /^tiny is up; no changes\.$/m);

  assert.match(await groundplane("destroy", "--yes"), /^tiny is no longer started at boot$/m);
  assert.deepEqual(fs.readdirSync(units()), ["multi-user.target.wants"]);
  assert.deepEqual(fs.readdirSync(path.join(units(), "multi-user.target.wants")), []);
});
