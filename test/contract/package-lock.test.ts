// The versions of packages, chosen and fetched by the host's apt from a mirror on loopback.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { lockChanges } from "../../cli/package-update";
import { localHost } from "../../host/local-host";
import { fetchPackages, packageFile } from "../../image/packages/fetch-packages";
import { withRepository } from "../../image/packages/local-repository";
import { resolveLock } from "../../image/packages/resolve-lock";
import { archives } from "../../image/recipes/archives";
import { diskOf } from "../../image/recipes/disk";
import { imageNames } from "../../image/recipes/image-names";
import { rootTrees } from "../../image/recipes/root-tree";
import { containerRuntimes } from "../../model/container-runtimes";
import { compareDebianVersions } from "../../model/debian-versions";
import { distributions } from "../../model/distributions";
import { type LockedPackage, packagesIn } from "../../model/package-lock";
import { defaultKubernetesVersion } from "../../model/releases";
import { UserError } from "../../model/user-error";
import { type MirrorPackage, type PackageMirror, startMirror } from "../support/package-mirror";
import { ownDataFolder } from "../support/small-image";

const tree = rootTrees.debian;
const wishes = { distribution: "debian", runtime: "containerd" } as const;
const missing = ["apt-get", "dpkg-deb", "gpg", "gpgconf"].find(
  (program) => spawnSync(program, ["--version"]).error !== undefined,
);
const skip = missing === undefined ? false : `${missing} is not installed`;

/** Everything that the recipes name, and what it depends on. */
function debian(changes: Readonly<Record<string, Partial<MirrorPackage>>> = {}): readonly MirrorPackage[] {
  const named = [...tree.packages, ...diskOf("debian").packages, ...containerRuntimes.docker.packages.debian];
  const depends: Readonly<Record<string, string>> = {
    curl: "libcurl4t64 (>= 8)",
    "docker.io": "containerd, curl",
    "linux-image-amd64": "linux-image-6.12-amd64, curl",
  };
  const more = ["libcurl4t64", "containerd", "linux-image-6.12-amd64", "base-files", "unrelated"];
  return [...new Set([...named, ...more])].map((name) => ({
    name,
    version: "1:9.0-1+deb13u1",
    ...(depends[name] !== undefined && { depends: depends[name] }),
    ...(name === "base-files" && { essential: true, priority: "required" }),
    ...changes[name],
  }));
}

const versionOf = (packages: readonly LockedPackage[], name: string) =>
  packages.find((each) => each.name === name)?.version;
const failsWith = (id: string, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.id === id && text.test(error.message);

describe("packages from a mirror", { skip }, () => {
  let mirror: PackageMirror;
  let context: Parameters<typeof resolveLock>[1];
  const { keyring } = archives.debian;
  const keyringOfUbuntu = archives.ubuntu.keyring;

  before(async () => {
    mirror = await startMirror();
    for (const name of distributions) (archives[name] as { keyring: string }).keyring = mirror.keyring;
    context = { host: mirror.hostWithMirror(localHost), progress: () => {} };
  });
  after(async () => {
    (archives.debian as { keyring: string }).keyring = keyring;
    (archives.ubuntu as { keyring: string }).keyring = keyringOfUbuntu;
    await mirror?.close();
  });
  beforeEach(() => {
    mirror.publish("trixie", debian());
    mirror.publish("trixie-updates", []);
    mirror.publish("trixie-security", []);
    mirror.requests.length = 0;
  });

  const folderOf = (t: { after(action: () => void): void }): string => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-packages-test-"));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    return folder;
  };

  test("a lock has what is essential, what the recipes name and what these depend on, each in one section", async () => {
    const { sections } = await resolveLock({ ...wishes, runtime: "docker" }, context);
    const names = (section: keyof typeof sections) => (sections[section] ?? []).map(({ name }) => name);
    assert.deepEqual(names("tree"), [...tree.packages, "base-files", "libcurl4t64"].sort());
    assert.deepEqual(names("docker"), ["containerd", "docker-cli", "docker.io"]);
    assert.deepEqual(names("disk"), [...diskOf("debian").packages, "linux-image-6.12-amd64"].sort());
    assert.equal((await resolveLock(wishes, context)).sections.docker, undefined);
    assert.ok(!mirror.requests.some((place) => place.endsWith(".deb")), "lists suffice");
  });

  test("a security fix is found, moves the lock and so gives the images other names", async () => {
    const first = await resolveLock(wishes, context);
    mirror.publish(
      "trixie-updates",
      debian({ openssl: { version: "1:9.0-1+deb13u2" } }).filter(({ name }) => name === "openssl"),
    );
    const second = await resolveLock(wishes, context);
    assert.deepEqual(lockChanges(first, second), [{ name: "openssl", from: "1:9.0-1+deb13u1", to: "1:9.0-1+deb13u2" }]);
    const namesWith = (lock: typeof first) =>
      imageNames(defaultKubernetesVersion, "tree", "debian", "containerd", lock);
    assert.notDeepEqual(namesWith(first), namesWith(second));
  });

  test("the same for Ubuntu, whose fixes are in the folder of its packages", async (t) => {
    const recipe = rootTrees.ubuntu;
    const ubuntu = [...recipe.packages, ...diskOf("ubuntu").packages].map((name) => ({ name, version: "1.0-1build1" }));
    const fix = { name: "openssl", version: "1.0-1build1.1" };
    mirror.publish("noble", ubuntu);
    for (const suite of ["noble-updates", "noble-security"]) mirror.publish(suite, []);
    const ofUbuntu = { distribution: "ubuntu", runtime: "containerd" } as const;
    const first = await resolveLock(ofUbuntu, context);
    mirror.publish("noble-security", [fix]);
    const second = await resolveLock(ofUbuntu, context);
    assert.deepEqual(lockChanges(first, second), [{ name: "openssl", from: "1.0-1build1", to: "1.0-1build1.1" }]);
    const namesWith = (lock: typeof first) =>
      imageNames(defaultKubernetesVersion, "tree", "ubuntu", "containerd", lock);
    assert.deepEqual(
      namesWith(first).filter((name) => namesWith(second).includes(name)),
      [],
    );
    const folder = folderOf(t);
    const both = [first, second].flatMap((lock) => packagesIn(lock).filter(({ name }) => name === "openssl"));
    for (const each of both) await fetchPackages(recipe, [each], folder, context);
    assert.deepEqual(fs.readdirSync(folder).sort(), both.map(packageFile).sort());
  });

  test("exactly the locked versions are fetched, once, also former ones that the lists no longer have", async (t) => {
    const folder = folderOf(t);
    const lock = await resolveLock(wishes, context);
    mirror.publish("trixie", debian({ openssl: { version: "1:9.1-1" }, curl: { version: "1:9.2-1" } }));
    const wanted = packagesIn(lock, ["tree"]).filter(({ name }) => ["openssl", "curl", "jq"].includes(name));
    assert.equal(versionOf(wanted, "openssl"), "1:9.0-1+deb13u1");
    await fetchPackages(tree, wanted, folder, context);
    for (const each of wanted)
      assert.equal(await localHost.files.digest(path.join(folder, packageFile(each))), each.sha256);
    assert.deepEqual(fs.readdirSync(folder).sort(), wanted.map(packageFile).sort());
    mirror.requests.length = 0;
    await fetchPackages(tree, wanted, folder, context);
    assert.equal(mirror.requests.length, 0);
    const [damaged] = wanted as [LockedPackage];
    fs.writeFileSync(path.join(folder, packageFile(damaged)), "damaged");
    await fetchPackages(tree, wanted, folder, context);
    assert.equal(mirror.requests.filter((place) => place.endsWith(".deb")).length, 1);
  });

  test("a version that the mirror has removed is named with the next step, and the others are kept", async (t) => {
    const folder = folderOf(t);
    const wanted = packagesIn(await resolveLock(wishes, context), ["tree"]).filter(({ name }) =>
      ["less", "jq"].includes(name),
    );
    mirror.publish("trixie", debian({ less: { version: "2:1" } }));
    const file = path.join(mirror.folder, mirror.fileOf("less", "1:9.0-1+deb13u1"));
    fs.renameSync(file, `${file}.gone`);
    const gone = fetchPackages(tree, wanted, folder, context);
    await assert.rejects(gone, failsWith("package-gone", /no longer has less 1:9\.0-1\+deb13u1 of.*image update/s));
    assert.ok(fs.readdirSync(folder).some((name) => name.startsWith("jq-")));
    fs.renameSync(`${file}.gone`, file);
    await fetchPackages(tree, wanted, folder, context);
  });

  test("a package with another digest than that of the lock is refused", async (t) => {
    const wanted = packagesIn(await resolveLock(wishes, context), ["tree"]).filter(({ name }) => name === "jq");
    const [jq] = wanted as [LockedPackage];
    const other = [{ ...jq, sha256: "0".repeat(64) }];
    const isRefused = failsWith("package-digest", /jq 1:9\.0-1\+deb13u1 has another digest/);
    await assert.rejects(fetchPackages(tree, other, folderOf(t), context), isRefused);
    mirror.publish("trixie", debian({ jq: { version: "2:1" } }));
    await assert.rejects(fetchPackages(tree, other, folderOf(t), context), isRefused);
  });

  test("lists that are signed with another key, or not at all, are refused", async () => {
    const own = archives.debian.keyring;
    (archives.debian as { keyring: string }).keyring = keyring;
    try {
      await assert.rejects(resolveLock(wishes, context), UserError);
    } finally {
      (archives.debian as { keyring: string }).keyring = own;
    }
    const release = path.join(mirror.folder, "debian/dists/trixie/InRelease");
    fs.writeFileSync(release, fs.readFileSync(release, "utf8").replace("Components: main", "Components: mine"));
    await assert.rejects(resolveLock(wishes, context), UserError);
  });

  test("a mirror that cannot be reached gives the next step", async () => {
    const files = { ...context.host.files, readText: async () => "deb http://127.0.0.1:1/debian trixie main\n" };
    const unreachable = { ...context, host: Object.create(context.host, { files: { value: files } }) };
    await assert.rejects(resolveLock(wishes, unreachable), failsWith("network", /Debian mirror cannot be reached/));
  });

  test("a mirror that lacks the lists of security fixes makes no lock, which would be older", async () => {
    fs.rmSync(path.join(mirror.folder, "debian-security/dists/trixie-security/InRelease"));
    await assert.rejects(resolveLock(wishes, context), /debian-security trixie-security Release' does not have/);
  });

  test("a build installs from a repository that has the locked packages alone", async (t) => {
    await ownDataFolder(t);
    const wanted = packagesIn(await resolveLock(wishes, context), ["tree"]).filter(({ name }) =>
      ["curl", "libcurl4t64"].includes(name),
    );
    const broken = withRepository(tree, wanted, context, async (folder, words) => {
      assert.equal(words, "trixie main");
      const list = fs.readFileSync(path.join(folder, "dists/trixie/main/binary-amd64/Packages"), "utf8");
      assert.deepEqual([...list.matchAll(/^Package: (.*)$/gm)].map(([, name]) => name).sort(), ["curl", "libcurl4t64"]);
      for (const [, file = ""] of list.matchAll(/^Filename: (.*)$/gm))
        assert.ok(fs.existsSync(path.join(folder, file)));
      throw new Error("interrupted");
    });
    await assert.rejects(broken, /interrupted/);
    mirror.requests.length = 0;
    const used = await withRepository(tree, wanted, context, async (folder) => folder);
    assert.equal(mirror.requests.length, 0, "an interrupted build has left the packages");
    assert.ok(!fs.existsSync(used));
  });
});

test("versions are compared as dpkg does", { skip }, () => {
  const versions = [
    ...["0", "1", "1.0", "1.0-0", "1.0-1", "1.0~rc1-1", "1.0~rc1~git", "1.0+b1", "1.0+deb13u1-1", "1.0+deb13u10-1"],
    ...[
      "1:0.5",
      "2:0.1-1",
      "3.5.7-1~deb13u3",
      "3.5.9-1~deb13u1",
      "5.2.37-2+b9",
      "5.2.37-2+b10",
      "1.0a",
      "1.0A",
      "1.0.",
    ],
    ...["20250101123456789012345678-1", "20250101123456789012345679-1", "001.2", "1.2-1-1", "1.2-1"],
  ];
  for (const [index, one] of versions.entries()) {
    // Every version with some of the others: each comparison starts a program.
    for (const other of [0, 1, 2, 5, 11].map((step) => versions[(index + step) % versions.length] ?? "")) {
      const found = compareDebianVersions(one, other);
      const relation = found < 0 ? "lt" : found > 0 ? "gt" : "eq";
      const { status } = spawnSync("dpkg", ["--compare-versions", one, relation, other]);
      assert.equal(status, 0, `${one} ${relation} ${other}`);
      assert.equal(Math.sign(compareDebianVersions(other, one)), -Math.sign(found) + 0);
    }
  }
});
