import assert from "node:assert/strict";
import { test } from "node:test";
import { versionsInStatus } from "../../../image/packages/installed-packages";
import { packageOfLine } from "../../../image/packages/resolve-lock";
import { imageName, imageNames, imageRecipes, lockedImageRecipes } from "../../../image/recipes/image-names";
import { lockedPackagesOf } from "../../../image/recipes/locked-recipes";
import { storedImages } from "../../../image/stored-images";
import type { ContainerRuntimeName } from "../../../model/container-runtimes";
import type { ImageForm } from "../../../model/drivers";
import type { PackageLock } from "../../../model/package-lock";
import { defaultKubernetesVersion } from "../../../model/releases";
import { UserError } from "../../../model/user-error";
import { RecordingHost } from "../../support/recording-host";
import { smallLock } from "../../support/small-lock";

const names = (form: ImageForm, lock?: PackageLock, runtime?: ContainerRuntimeName) =>
  imageNames(defaultKubernetesVersion, form, lock?.distribution, runtime, lock);
const isMisfit = (reason: RegExp) => (error: unknown) =>
  error instanceof UserError && error.id === "package-lock" && reason.test(error.problem);

test("without a lock, recipes have no trace of it, so that images keep their names", () => {
  const text = JSON.stringify([
    imageRecipes(defaultKubernetesVersion, "tree"),
    imageRecipes(defaultKubernetesVersion, "disk", "ubuntu", "docker"),
  ]);
  assert.doesNotMatch(text, /locked/);
});

test("an image's name follows from the packages that it has, and from no others", () => {
  const [first, kernel, fix] = [smallLock(), smallLock({ "linux-image-amd64": "2-1" }), smallLock({ openssl: "2-1" })];
  const docker = smallLock({ "docker.io": "2-1" });
  for (const form of ["tree", "disk"] as const) {
    assert.equal(new Set([...names(form), ...names(form, first), ...names(form, fix)]).size, 6);
    assert.deepEqual(names(form, smallLock()), names(form, first));
    assert.deepEqual(names(form, docker), names(form, first));
  }
  assert.deepEqual(names("tree", kernel), names("tree", first));
  assert.equal(new Set([...names("disk", kernel), ...names("disk", first)]).size, 4);
  const [[infrastructure, nodes], [other, otherNodes]] = [
    names("tree", first, "docker"),
    names("tree", docker, "docker"),
  ];
  assert.equal(infrastructure, other);
  assert.notEqual(nodes, otherNodes);
});

test("the order in the file does not matter", () => {
  const lock = smallLock();
  const reversed = { ...lock, sections: { ...lock.sections, tree: [...(lock.sections.tree ?? [])].reverse() } };
  assert.deepEqual(names("tree", reversed), names("tree", lock));
});

test("a package of the tree is not installed again over it", () => {
  const lock = smallLock();
  const both = {
    ...lock,
    sections: { ...lock.sections, docker: [...(lock.sections.docker ?? []), ...(lock.sections.disk ?? [])] },
  };
  const [, nodes] = imageRecipes(defaultKubernetesVersion, "disk", "debian", "docker", both);
  assert.deepEqual(nodes?.disk?.locked, []);
  const packages = lockedPackagesOf(nodes as NonNullable<typeof nodes>)?.map(({ name }) => name) ?? [];
  assert.equal(new Set(packages).size, packages.length);
});

test("a lock that does not fit is refused with the next step", () => {
  const lock = smallLock();
  const without = (name: string): PackageLock => ({
    ...lock,
    sections: { ...lock.sections, tree: lock.sections.tree?.filter((each) => each.name !== name) },
  });
  assert.throws(() => names("tree", without("chrony")), isMisfit(/lacks chrony/));
  const { docker: _docker, ...sections } = lock.sections;
  assert.throws(() => names("tree", { ...lock, sections }, "docker"), isMisfit(/lacks docker-cli, docker\.io/));
  assert.throws(
    () => imageNames(defaultKubernetesVersion, "tree", "ubuntu", "containerd", lock),
    isMisfit(/packages of debian trixie, and the stack needs ubuntu noble/),
  );
});

test("images and parts of a lock are in use, also those of runtimes and forms that the stack has not now", async () => {
  const lock = smallLock();
  const known = lockedImageRecipes(lock).map(imageName);
  for (const name of [...names("tree", lock), ...names("disk", lock, "docker")]) assert.ok(known.includes(name), name);
  const { docker: _docker, ...sections } = lock.sections;
  assert.ok(lockedImageRecipes({ ...lock, sections }).length > 0, "a lock without Docker makes other images");
  const [infrastructure = ""] = names("tree", lock);
  const host = new RecordingHost({
    files: { [`/data/images/${infrastructure}/image.json`]: "{}" },
  });
  const usersWith = async (locks: ReadonlyMap<string, PackageLock>) =>
    (await storedImages(host, new Map(), locks)).map(({ users }) => users);
  assert.deepEqual(await usersWith(new Map([["lab", lock]])), [["the package lock of lab"]]);
  assert.deepEqual(await usersWith(new Map()), [[]]);
});

test("a folder of downloads counts while an interrupted build has left something in it", async () => {
  const kindsWith = async (file: string) =>
    (await storedImages(new RecordingHost({ files: { [file]: "" } }), new Map())).map(({ kind }) => kind);
  assert.deepEqual(await kindsWith("/data/parts/downloads/packages-aaaaaaaaaaaa/jq.deb"), ["download"]);
  const host = new RecordingHost({ files: {} });
  await host.files.makeFolder("/data/parts/downloads");
  assert.deepEqual(await storedImages(host, new Map()), []);
});

test("lines of apt are read with their encoding, and all others are ignored", () => {
  const digest = "a".repeat(64);
  const base = { sha256: digest, bytes: 12 };
  assert.deepEqual(
    packageOfLine(
      `'http://u:p@host:8/x/debian/pool/main/a/attr/attr_2.5-3%2bb1_amd64.deb' attr_1%3a2.5-3+b1_amd64.deb 12 SHA256:${digest}`,
    ),
    { ...base, name: "attr", version: "1:2.5-3+b1", file: "debian/pool/main/a/attr/attr_2.5-3+b1_amd64.deb" },
  );
  assert.deepEqual(
    packageOfLine(`'http://h/debian-security/pool/updates/main/o/x/x_1~1_all.deb' x_1~1_all.deb 12 SHA256:${digest}`),
    { ...base, name: "x", version: "1~1", file: "debian-security/pool/updates/main/o/x/x_1~1_all.deb" },
  );
  for (const other of [
    "Reading package lists...",
    "  adduser attr",
    `'http://h/x.deb' x_1_all.deb 12 MD5Sum:${digest}`,
  ])
    assert.equal(packageOfLine(other), undefined, other);
});

test("only installed packages count in dpkg's record", () => {
  const stanza = (name: string, status: string) =>
    `Package: ${name}\nStatus: ${status}\nVersion: 1\nDescription: x\n y\n`;
  const status = [
    stanza("a", "install ok installed"),
    stanza("b", "deinstall ok config-files"),
    stanza("c", "hold ok installed"),
  ];
  assert.deepEqual(versionsInStatus(status.join("\n")), { a: "1", c: "1" });
});
