import * as assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { describe, type TestContext, test } from "node:test";
import { exists } from "../../host/file-store";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { createBundle } from "../../image/parts/bundle";
import { partsOf } from "../../image/parts/bundle-parts";
import { bundleFolder, bundleSource } from "../../image/parts/bundle-source";
import { bundleDigest, manifestText } from "../../image/parts/bundle-trust";
import { ensurePart } from "../../image/parts/ensure-part";
import { loadBundle } from "../../image/parts/load-bundle";
import type { PartSource } from "../../image/parts/part";
import type { ImageRecipe } from "../../image/recipes/recipe";
import { packageLockText } from "../../model/package-lock";
import { UserError } from "../../model/user-error";
import { ownDataFolder, smallDiskRecipe, smallRecipe, smallSource, storedNames } from "../support/small-image";
import { smallLock } from "../support/small-lock";

const withPrograms: ImageRecipe = {
  ...smallRecipe,
  kubernetes: {
    version: "0.1.0",
    layer: smallRecipe.rootTree.layer,
    nodePrograms: [],
    parts: [{ name: "etcd", version: "0.1.0", programs: ["etcd", "etcdctl"] }],
    containerImages: [],
  },
};

const context = { host: localHost, progress: () => {} };
const isDamaged = (error: unknown): boolean => error instanceof UserError && error.id === "bundle-damaged";

for (const name of ["bundle.tar", "bundle.tar.gz"]) {
  test(`${name}: a bundle gives another host the same parts, byte for byte`, async (t) => {
    const here = await ownDataFolder(t);
    const file = path.join(here, name);
    const source = smallSource();
    const packageLocks = { lab: packageLockText(smallLock()) };
    const options = { recipes: [withPrograms], sources: [source], packageLocks };
    const manifest = await createBundle(localHost, file, options);
    assert.deepEqual(
      manifest.parts.map(({ name }) => name.replace(/-[0-9a-f]+$/, "")),
      ["base", "etcd-0.1.0", "etcdutl-0.1.0"],
    );
    assert.deepEqual((await fs.readdir(here)).sort(), [name, "parts"].sort());
    const digests = (from: PartSource) =>
      Promise.all(partsOf([withPrograms]).map(async (part) => (await ensurePart(part, [from], context)).digest));
    const before = await digests(source);

    const there = await ownDataFolder(t);
    assert.deepEqual((await loadBundle(localHost, file)).packageLocks, packageLocks);
    assert.deepEqual(await digests(bundleSource(localHost)), before);
    const [record] = await ensureImages(localHost, { recipes: [smallRecipe], sources: [bundleSource(localHost)] });
    assert.deepEqual(record?.createdFrom, { base: "a test, by way of a bundle" });
    assert.equal(await fs.readlink(path.join(there, "images", record?.name ?? "", "layers/base/bin")), "usr/bin");
  });
}

test("a disk is compressed without its holes, and unpacked as an identical sparse file", async (t) => {
  const here = await ownDataFolder(t);
  const file = path.join(here, "disks.tar");
  const source = smallSource();
  const { parts } = await createBundle(localHost, file, { recipes: [smallDiskRecipe], sources: [source] });
  assert.deepEqual(
    parts.map(({ kind, origin, files }) => [kind, origin, files.map((each) => path.basename(each.path))]),
    [["disk", "a test", ["disk.raw.zst"]]],
  );
  const [made] = await ensureImages(localHost, { recipes: [smallDiskRecipe], sources: [source] });
  assert.ok((await fs.stat(file)).size < 100_000);

  const there = await ownDataFolder(t);
  await loadBundle(localHost, file);
  const [record] = await ensureImages(localHost, {
    recipes: [smallDiskRecipe],
    sources: [bundleSource(localHost)],
    verify: true,
  });
  assert.equal(record?.digest, made?.digest);
  assert.deepEqual(record?.createdFrom, { disk: "a test, by way of a bundle" });
  const { size, blocks } = await fs.stat(path.join(there, "images", record?.name ?? "", "disk.raw"));
  assert.ok(blocks * 512 < size / 2, "it is sparse");
});

test("a bundle contains intact parts only: a damaged one is rebuilt first", async (t) => {
  const data = await ownDataFolder(t);
  const source = smallSource();
  const [part] = partsOf([smallRecipe]);
  assert.ok(part);
  const folder = await ensurePart(part, [source], context);
  const tool = path.join(folder.content, "usr/bin/tool");
  const { mtimeMs } = await fs.stat(tool);
  await fs.writeFile(tool, Buffer.alloc(1024, "y"));
  const time = (Math.trunc(mtimeMs) + 0.5) / 1000;
  await fs.utimes(tool, time, time);
  await createBundle(localHost, path.join(data, "b.tar"), { recipes: [smallRecipe], sources: [source] });
  assert.equal(source.fetches(), 2);
});

test("a bundle that is changed, truncated or of another kind is refused, and the previous bundle is kept", async (t) => {
  const data = await ownDataFolder(t);
  const file = path.join(data, "bundle.tar");
  await createBundle(localHost, file, { recipes: [withPrograms], sources: [smallSource(300_000)] });
  await loadBundle(localHost, file);
  const good = await fs.readFile(file);

  const changed = Buffer.from(good);
  changed[changed.indexOf("xxxxxxxx") + 5] = 0x79;
  const program = Buffer.from(good);
  program[program.indexOf("echo etcdctl")] = 0x45;
  const bad = {
    changed,
    program,
    short: good.subarray(0, 200_000),
    empty: Buffer.alloc(0),
    text: Buffer.from("hello"),
  };
  for (const [what, content] of Object.entries(bad)) {
    await fs.writeFile(file, content);
    await assert.rejects(loadBundle(localHost, file), isDamaged, what);
    assert.ok(await exists(path.join(bundleFolder(localHost), "manifest.json")), what);
    assert.ok(!(await exists(`${bundleFolder(localHost)}.partial`)), what);
  }
  await assert.rejects(loadBundle(localHost, path.join(data, "absent")), (error) => {
    return error instanceof UserError && error.id === "bundle-missing";
  });
});

describe("a bundle from another person", () => {
  const load = async (t: TestContext, made: { readonly sign?: boolean } = {}) => {
    const data = await ownDataFolder(t);
    const file = path.join(data, "bundle.tar");
    const keys = (name: string): string => {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519");
      writeFileSync(path.join(data, `${name}.key`), privateKey.export({ type: "pkcs8", format: "pem" }));
      writeFileSync(path.join(data, `${name}.pub`), publicKey.export({ type: "spki", format: "pem" }));
      return path.join(data, name);
    };
    const [own, foreign] = [keys("own"), keys("foreign")];
    const sign = made.sign ? `${own}.key` : undefined;
    const manifest = await createBundle(localHost, file, { recipes: [withPrograms], sources: [smallSource()], sign });
    return { file, own, foreign, digest: bundleDigest(manifestText(manifest)) };
  };
  const isUntrusted = (error: unknown): boolean => error instanceof UserError && error.id === "bundle-untrusted";

  test("is loaded with the digest that was printed when it was made, and with no other", async (t) => {
    const { file, digest } = await load(t);
    await loadBundle(localHost, file, { digest: `sha256:${digest}` });
    await fs.rm(bundleFolder(localHost), { recursive: true });
    await assert.rejects(loadBundle(localHost, file, { digest: digest.replace(/./, "g") }), isUntrusted);
    assert.ok(!(await exists(bundleFolder(localHost))));
  });

  test("is refused when a part and its checksum were changed together", async (t) => {
    const { file, digest } = await load(t);
    const content = await fs.readFile(file, "latin1");
    const program = "echo etcdctl";
    const forged = "echo ETCDCTL";
    const sum = (text: string) => createHash("sha256").update(text).digest("hex");
    const start = content.lastIndexOf("\0", content.indexOf(program)) + 1;
    const whole = content.slice(start, content.indexOf("\0", start));
    const changed = content.replace(program, forged).replace(sum(whole), sum(whole.replace(program, forged)));
    assert.notEqual(changed, content);
    await fs.writeFile(file, changed, "latin1");
    await loadBundle(localHost, file);
    await assert.rejects(loadBundle(localHost, file, { digest }), isUntrusted);
  });

  test("is loaded with the signer's key, and with no other", async (t) => {
    const { file, own, foreign } = await load(t, { sign: true });
    await loadBundle(localHost, file);
    await loadBundle(localHost, file, { key: `${own}.pub` });
    await assert.rejects(loadBundle(localHost, file, { key: `${foreign}.pub` }), isUntrusted);
    await assert.rejects(loadBundle(localHost, file, { key: file }), (error) => {
      return error instanceof UserError && error.id === "bundle-key";
    });
  });

  test("is refused without a signature when a key is asked for", async (t) => {
    const { file, own } = await load(t);
    await assert.rejects(loadBundle(localHost, file, { key: `${own}.pub` }), isUntrusted);
  });
});

test("a loaded bundle that was changed on disk is not used", async (t) => {
  const data = await ownDataFolder(t);
  const file = path.join(data, "bundle.tar");
  const { parts } = await createBundle(localHost, file, { recipes: [smallRecipe], sources: [smallSource()] });
  await loadBundle(localHost, file);
  await fs.rm(path.join(data, "parts"), { recursive: true });
  await fs.appendFile(path.join(bundleFolder(localHost), parts[0]?.files[0]?.path ?? ""), "more");
  await assert.rejects(
    ensureImages(localHost, { recipes: [smallRecipe], sources: [bundleSource(localHost)] }),
    isDamaged,
  );
  assert.deepEqual(await storedNames(data), []);
});

test("without a bundle that has the part, another source is used", async (t) => {
  const data = await ownDataFolder(t);
  assert.equal((await bundleSource(localHost).available()).usable, false);
  const file = path.join(data, "bundle.tar");
  await createBundle(localHost, file, { recipes: [smallRecipe], sources: [smallSource()] });
  await loadBundle(localHost, file);
  assert.equal((await bundleSource(localHost).available()).usable, true);
  const [, programs] = partsOf([withPrograms]);
  assert.ok(programs);
  assert.equal((await bundleSource(localHost).available(programs)).usable, false);
});
