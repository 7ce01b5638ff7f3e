// Which command plugin is installed where, with a program in place of `pulumi` that installs as it does.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, beforeEach, test } from "node:test";
import { dataFolder, pulumiHomeFolder } from "../../host/data-folder";
import {
  installCommandPlugin,
  installedCommandPlugin,
  removeFromUsersHome,
} from "../../toolchain/install-command-plugin";
import type { PulumiCli } from "../../toolchain/pulumi-tool";

const names = ["GROUNDPLANE_DATA", "PULUMI_CREDENTIALS_PATH", "PULUMI_HOME"] as const;
const inherited = names.map((name) => process.env[name]);
let root: string;
const at = (...parts: string[]): string => path.join(root, ...parts);

/** Downloads the official plugin, a large file, where the test says that it can be had. */
const PULUMI = `#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
target=$PULUMI_HOME/plugins/resource-command-v1.2.1
while [ $# -gt 0 ]; do
  if [ "$1" = --file ]; then file=$2; fi
  shift
done
mkdir -p "$target"
if [ -n "$file" ]; then exec cp "$file/pulumi-resource-command" "$target/"; fi
[ -e "$(dirname "$0")/reachable" ] || exit 1
exec cp "$(dirname "$0")/official" "$target/pulumi-resource-command"
`;

beforeEach(() => {
  if (root) fs.rmSync(root, { recursive: true });
  root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  process.env.GROUNDPLANE_DATA = at("data");
  process.env.PULUMI_CREDENTIALS_PATH = at("users");
  fs.mkdirSync(at("bin"));
  fs.writeFileSync(at("bin", "pulumi"), PULUMI, { mode: 0o755 });
  fs.writeFileSync(at("bin", "official"), Buffer.alloc(10_000, 1), { mode: 0o755 });
});
after(() => {
  fs.rmSync(root, { recursive: true });
  names.forEach((name, index) => {
    if (inherited[index] === undefined) delete process.env[name];
    else process.env[name] = inherited[index];
  });
});

const cli = (how: PulumiCli["how"] = "download"): PulumiCli => ({ binFolder: at("bin"), version: "3.248.0", how });

const architecture = process.arch === "x64" ? "amd64" : process.arch;
const pinned = { [`pulumi-resource-command 1.2.1 ${process.platform}-${architecture}`]: "ab".repeat(32) };

async function install(how?: PulumiCli["how"], digests: Readonly<Record<string, string>> = pinned) {
  await installCommandPlugin(cli(how), pulumiHomeFolder(), {}, digests);
  return installedCommandPlugin(pulumiHomeFolder());
}

const calls = (): number => fs.readFileSync(at("bin", "calls"), "utf8").trim().split("\n").length;
const becomeReachable = (): void => fs.writeFileSync(at("bin", "reachable"), "");

test("the stand-in is replaced once the official plugin can be had, asked for at most once a day", async () => {
  assert.equal(await install(), "stand-in");
  const before = calls();
  becomeReachable();
  assert.equal(await install(), "stand-in");
  assert.equal(calls(), before, "asked again on the same day");
  const stamp = path.join(dataFolder(), "tools", "asked-for-command-plugin");
  fs.utimesSync(stamp, 1, 1);
  assert.equal(await install(), "official");
  fs.rmSync(at("bin", "reachable"));
  fs.utimesSync(stamp, 1, 1);
  assert.equal(await install(), "official", "it stays");
});

test("the official plugin is compared with its committed digest, and without one it needs the user's consent", async () => {
  becomeReachable();
  assert.equal(await install("download", {}), "stand-in");
  assert.doesNotMatch(fs.readFileSync(at("bin", "calls"), "utf8"), /--checksum/);
  assert.equal(calls(), 1, "only the stand-in was installed");
  assert.equal(await install("own"), "official");
  assert.match(fs.readFileSync(at("bin", "calls"), "utf8"), /--reinstall --checksum (?:ab){32}$/m);
});

test("the consent to unpinned downloads holds for the plugin, too", async () => {
  becomeReachable();
  process.env.GROUNDPLANE_UNPINNED_DOWNLOADS = "1";
  try {
    assert.equal(await install("download", {}), "official");
  } finally {
    delete process.env.GROUNDPLANE_UNPINNED_DOWNLOADS;
  }
});

test("where Pulumi had to be built, nothing is downloaded", async () => {
  becomeReachable();
  assert.equal(await install("build"), "stand-in");
});

function putIntoUsersHome(content: string | Buffer): string {
  const folder = at("users", "plugins", "resource-command-v1.2.1");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "pulumi-resource-command"), content, { mode: 0o755 });
  fs.writeFileSync(`${folder}.lock`, "");
  return folder;
}

test("the official plugin of the user's own home is used without a network", async () => {
  putIntoUsersHome(Buffer.alloc(10_000, 1));
  assert.equal(await install("own"), "official");
});

test("a stand-in that an earlier version left in the user's home is removed, and nothing else", async () => {
  const folder = putIntoUsersHome("#!/bin/sh\nexec node '/gone/tools/command-plugin-0123456789abcdef.js' \"$@\"\n");
  const other = at("users", "plugins", "resource-aws-v6.0.0");
  fs.mkdirSync(other);
  await removeFromUsersHome();
  assert.deepEqual(
    [fs.existsSync(folder), fs.existsSync(`${folder}.lock`), fs.existsSync(other)],
    [false, false, true],
  );
  const official = putIntoUsersHome(Buffer.alloc(10_000, 1));
  await removeFromUsersHome();
  assert.ok(fs.existsSync(official));
});
