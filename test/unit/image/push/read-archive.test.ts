import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { localHost } from "../../../../host/local-host";
import { readArchive } from "../../../../image/push/read-archive";
import { parseTarget, withoutRegistry } from "../../../../model/image-registry";
import { digestOf, dockerEntries, layoutEntries, tarOf } from "../../../support/image-archives";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-read-archive-"));
after(() => fs.rmSync(folder, { recursive: true }));
const layers = ["one", "two", "one"].map((text) => Buffer.from(text));

let count = 0;
const read = (bytes: Buffer) => {
  const file = path.join(folder, `${count++}.tar`);
  fs.writeFileSync(file, bytes);
  return readArchive(localHost, file);
};

test("an archive of an earlier Docker gets a manifest, the same each time, also when it is compressed", async () => {
  const bytes = await tarOf(dockerEntries(layers, "docker.io/library/app:2"));
  const image = await read(bytes);
  assert.deepEqual(image.names, ["docker.io/library/app:2"]);
  const manifest = JSON.parse(image.manifest.bytes.toString()) as { readonly layers: readonly { digest: string }[] };
  assert.deepEqual(
    manifest.layers.map(({ digest }) => digest),
    layers.map(digestOf),
  );
  assert.equal(image.blobs.size, 3, "a configuration and two layers, one of them twice");
  assert.equal(digestOf(image.manifest.bytes), image.manifest.digest);
  assert.equal((await read(gzipSync(bytes))).manifest.digest, image.manifest.digest);
});

test("an OCI layout keeps its manifest, and of several platforms the machines' own is taken", async () => {
  const plain = await read(await tarOf(layoutEntries(layers, { name: "registry.example.com/team/app:1" })));
  assert.deepEqual(plain.names, ["registry.example.com/team/app:1"]);
  assert.equal(digestOf(plain.manifest.bytes), plain.manifest.digest);
  const several = await read(await tarOf(layoutEntries(layers, { platforms: true })));
  assert.deepEqual([several.manifest.digest, several.names], [plain.manifest.digest, []]);
});

test("what is no complete archive of one image is refused with its reason", async () => {
  const layout = layoutEntries(layers);
  const docker = dockerEntries(layers, "app:1");
  const whole = await tarOf(layout);
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.from("no archive at all"), /no complete archive/],
    [whole.subarray(0, 700), /no complete archive/],
    [gzipSync(whole).subarray(0, 200), /no complete archive/],
    [await tarOf([["README", "text"]]), /neither index\.json nor manifest\.json/],
    [await tarOf(layout.filter(([name]) => name !== layout[1]?.[0])), /it lacks blobs\/sha256/],
    [
      await tarOf(layout.map(([name, content], index) => [name, index === 1 ? "other" : content])),
      /has another digest or size/,
    ],
    [
      await tarOf(docker.map(([name, content, link]) => [name, name === "l1/layer.tar" ? "x" : content, link])),
      /l1\/layer\.tar has another digest/,
    ],
    [await tarOf(docker.filter(([name]) => name !== "l0/layer.tar")), /it lacks l0\/layer\.tar/],
    [await tarOf([["index.json", "{"]]), /index\.json is no JSON/],
    [
      await tarOf([["index.json", JSON.stringify({ manifests: [{ digest: "sha256:1" }, { digest: "sha256:2" }] })]]),
      /has 2 images/,
    ],
  ];
  for (const [bytes, reason] of cases)
    await assert.rejects(read(bytes), { id: "image-archive", message: reason }, String(reason));
  const absent = readArchive(localHost, path.join(folder, "absent.tar"));
  await assert.rejects(absent, { id: "image-archive", message: /absent\.tar cannot be read: ENOENT/ });
});

test("names are those of registries", () => {
  assert.deepEqual(parseTarget("team/app:2.1_b"), { repository: "team/app", tag: "2.1_b" });
  assert.deepEqual(parseTarget("app"), { repository: "app", tag: "latest" });
  for (const text of ["App", "app:", "/app", "a//b", "app:-1", "app@sha256:00", "../app", ""])
    assert.equal(parseTarget(text), undefined, text);
  assert.equal(withoutRegistry("docker.io/library/app:2"), "app:2");
  assert.equal(withoutRegistry("localhost:5000/team/app"), "team/app");
  assert.equal(withoutRegistry("team/app"), "team/app");
});
