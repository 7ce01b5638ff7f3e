import * as assert from "node:assert/strict";
import { test } from "node:test";
import { localHost } from "../../../host/local-host";
import { mirrorOf } from "../../../image/build/package-sources";
import { BUNDLE_FORMAT, parseBundleManifest } from "../../../image/parts/bundle-manifest";
import { chooseSource } from "../../../image/parts/ensure-part";
import { isRecent } from "../../../image/parts/go-toolchain";
import { type Part, type PartSource, partName } from "../../../image/parts/part";
import { applyEdit } from "../../../image/parts/program-source";
import { checksumIn, publicAddresses, upstreamFiles } from "../../../image/parts/upstream-files";
import { upstreamSource } from "../../../image/parts/upstream-source";
import { kubernetesRecipe } from "../../../image/recipes/kubernetes";
import { defaultKubernetesVersion } from "../../../model/releases";
import { UserError } from "../../../model/user-error";

const digest = "a".repeat(64);
const other = "b".repeat(64);

test("a published checksum is found in every format that projects use", () => {
  assert.equal(checksumIn(`${digest}\n`, "file", "kubeadm"), digest);
  assert.equal(checksumIn(`${digest.toUpperCase()}`, "file", "kubeadm"), digest);
  assert.equal(checksumIn(`${other}  x.tgz\n${digest}  y.tgz\n`, "file", "y.tgz"), digest);
  assert.equal(checksumIn(`${digest} *y.tgz\n`, "file", "y.tgz"), digest);
  assert.equal(checksumIn(`${digest}  build/y.tgz\n`, "file", "y.tgz"), digest);
  const release = JSON.stringify({
    assets: [
      { name: "y", digest: `sha256:${digest}` },
      { name: "z", digest: null },
    ],
  });
  assert.equal(checksumIn(release, "release", "y"), digest);
  assert.equal(checksumIn(release, "release", "z"), undefined);
});

test("other text is not taken for a checksum of the file", () => {
  assert.equal(checksumIn(`${other}  x.tgz\n`, "file", "y.tgz"), undefined);
  assert.equal(checksumIn("<html>Not found</html>", "file", "y.tgz"), undefined);
  assert.equal(checksumIn("", "file", "y.tgz"), undefined);
});

test("a part without upstream files comes from a published image, or is not published", () => {
  const withoutFiles = kubernetesRecipe(defaultKubernetesVersion).parts.filter(
    (part) => upstreamFiles(part, publicAddresses).length === 0,
  );
  const published = withoutFiles.map((recipe) => [
    recipe.name,
    upstreamSource(localHost).provides({ kind: "programs", recipe }),
  ]);
  assert.deepEqual(published, [
    ["containerd", false],
    ["runc", false],
    ["crictl", false],
    ["kube-network-policies", false],
    ["local-path-provisioner", false],
    ["pause", true],
  ]);
});

test("every other part has upstream files with all its programs, over HTTPS", () => {
  for (const part of kubernetesRecipe(defaultKubernetesVersion, "docker").parts) {
    const files = upstreamFiles(part, publicAddresses);
    if (files.length === 0) continue;
    const programs = files.flatMap((file) => (file.members ? Object.values(file.members) : [file.program]));
    assert.deepEqual([...programs].sort(), [...part.programs].sort());
    for (const { url, checksum } of files) for (const address of [url, checksum.url]) assert.match(address, /^https:/);
  }
});

test("the first usable source that has the part is chosen", async () => {
  const part: Part = { kind: "programs", recipe: { name: "pause", version: "1", programs: ["pause"] } };
  const source = (name: string, provides: boolean, usable: boolean): PartSource => ({
    name,
    provides: () => provides,
    available: async () => ({ usable, reason: `${name} says why` }),
    fetch: async () => name,
  });
  const sources = [
    source("a", false, true),
    source("b", true, false),
    source("c", true, true),
    source("d", true, true),
  ];
  assert.equal((await chooseSource(part, sources)).name, "c");
  await assert.rejects(chooseSource(part, sources.slice(0, 2)), (error) => {
    return error instanceof UserError && error.id === "no-source" && /b says why/.test(error.problem);
  });
});

test("only its recipe determines the name of a part's folder", () => {
  const part = (version: string): Part => ({
    kind: "programs",
    recipe: { name: "etcd", version, programs: ["etcd"] },
  });
  assert.match(partName(part("1.0")), /^etcd-1\.0-[0-9a-f]{12}$/);
  assert.notEqual(partName(part("1.0")).slice(-12), partName(part("1.1")).slice(-12));
});

test("a text of another module is replaced as often as stated, or the build fails", () => {
  const edit = { file: "main.go", from: "old", to: "new" };
  assert.equal(applyEdit("the old text", edit), "the new text");
  assert.equal(applyEdit("old, old", { ...edit, times: 2 }), "new, new");
  for (const text of ["", "another text", "old, old"]) {
    assert.throws(() => applyEdit(text, edit), /main\.go contains "old" \d times instead of 1/);
  }
});

test("a bundle's manifest that names a path outside its parts is refused", () => {
  const manifest = (path: string, sha256 = digest) =>
    JSON.stringify({
      format: BUNDLE_FORMAT,
      parts: [{ name: "etcd-1", kind: "programs", origin: "here", files: [{ path, size: 1, sha256 }] }],
    });
  assert.equal(parseBundleManifest(manifest("etcd-1/etcd"), "x").parts.length, 1);
  const hostile = ["../etcd", "etcd-1/../../x", "/etc/passwd", "etcd-1/a/b", "other/etcd", "etcd-1/", "etcd-1/.hidden"];
  for (const path of hostile) assert.throws(() => parseBundleManifest(manifest(path), "x"), isDamaged, path);
  assert.throws(() => parseBundleManifest(manifest("etcd-1/etcd", "abc"), "x"), isDamaged);
  for (const text of ["", "[]", "null", "{}", `{"format":"${BUNDLE_FORMAT}"}`]) {
    assert.throws(() => parseBundleManifest(text, "x"), isDamaged, text);
  }
});

const isDamaged = (error: unknown): boolean => error instanceof UserError && error.id === "bundle-damaged";

test("the host's Debian mirror is found in either form of apt's sources", () => {
  assert.equal(mirrorOf("deb http://a.example/debian bookworm main"), "http://a.example/debian");
  assert.equal(mirrorOf("deb [signed-by=/k] https://b.example/debian/ sid main"), "https://b.example/debian");
  assert.equal(mirrorOf("Types: deb\nURIs: http://c.example/debian\nSuites: x"), "http://c.example/debian");
  assert.equal(mirrorOf("# deb http://d.example/debian x main\ndeb http://e.example/ubuntu y main"), undefined);
  assert.equal(mirrorOf("deb http://f.example/debian-security x-security main"), undefined);
});

test("Go 1.26 and later are recent enough", () => {
  for (const version of ["1.26", "1.26.8", "1.27rc1", "2.0"]) assert.ok(isRecent(version), version);
  for (const version of ["1.19.8", "1.25.9", "", "devel"]) assert.ok(!isRecent(version), version);
});
