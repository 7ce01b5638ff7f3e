// Files of releases that a user brings, on a host in memory.
import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import * as tar from "tar-stream";
import { checkParts } from "../../../image/checks";
import { type AddFileOptions, addPartFile } from "../../../image/parts/add-part-file";
import { addedSource } from "../../../image/parts/added-files";
import { chooseSource, ensurePart } from "../../../image/parts/ensure-part";
import type { Part, PartSource } from "../../../image/parts/part";
import { kubernetesRecipe } from "../../../image/recipes/kubernetes";
import { downloadKey } from "../../../model/pinned-downloads";
import { defaultKubernetesVersion as kubernetesVersion, releaseOf } from "../../../model/releases";
import { UserError } from "../../../model/user-error";
import { RecordingHost } from "../../support/recording-host";

const release = releaseOf(kubernetesVersion);
const fileName = `cri-dockerd-${release.criDockerd}.amd64.tgz`;
const given = `/home/${fileName}`;
const key = downloadKey("cri-dockerd", release.criDockerd, fileName);
const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(files)) pack.entry({ name }, content);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

const program = () => archiveOf({ "cri-dockerd/cri-dockerd": "the program" });

function partOf(name: string): Part {
  const recipe = kubernetesRecipe(kubernetesVersion, "docker").parts.find((part) => part.name === name);
  return { kind: "programs", recipe: recipe ?? assert.fail(name) };
}

/** A host with one file, and what adding it does. */
async function hostWith(content: Buffer, file = given) {
  const host = new RecordingHost();
  await host.files.writeAtomic(file, content);
  const add = (options: AddFileOptions = {}) => addPartFile(host, file, { digests: {}, ...options });
  return { host, add, digest: sha256(content) };
}

const isUserError =
  (id: string, text: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.id, id);
    assert.match(error.message, text);
    return true;
  };

test("a file with a known digest becomes the source of its part", async () => {
  const { host, add, digest } = await hostWith(await program());
  const digests = { [key]: digest };
  const added = { part: "cri-dockerd", version: release.criDockerd, file: fileName, sha256: digest, missing: [] };
  assert.deepEqual(await add({ digests }), { ...added, present: false });
  const source = addedSource(host, digests);
  const { content, origin } = await ensurePart(partOf("cri-dockerd"), [source], { host, progress: () => {} });
  assert.equal(await host.files.readText(`${content}/cri-dockerd`), "the program");
  assert.match(origin, /added by a user/);
  const traces = host.traces("/data/part-files");
  assert.deepEqual(await add({ digests }), { ...added, present: true });
  assert.deepEqual(host.traces("/data/part-files"), traces);
  assert.equal((await source.available(partOf("etcd"))).usable, false);
});

test("without a known digest the user names the one that the project publishes", async () => {
  const { host, add, digest } = await hostWith(await program());
  await assert.rejects(
    add(),
    isUserError("part-digest-unknown", new RegExp(`${digest}[\\s\\S]*github[\\s\\S]*--digest sha256:`)),
  );
  assert.deepEqual(host.traces("/data/part-files"), []);
  await add({ digest: `sha256:${digest.toUpperCase()}` });
  assert.equal((await addedSource(host, {}).available(partOf("cri-dockerd"))).usable, true);
  // A digest that a later version knows holds.
  assert.equal((await addedSource(host, { [key]: "b".repeat(64) }).available(partOf("cri-dockerd"))).usable, false);
});

test("a file with another digest is refused, and nothing is kept", async () => {
  const { host, add, digest } = await hostWith(await program());
  const other = "a".repeat(64);
  const refused = new RegExp(
    `${digest}, but cri-dockerd ${release.criDockerd} must have ${other}[\\s\\S]*do not use it`,
  );
  await assert.rejects(add({ digests: { [key]: other } }), isUserError("part-digest", refused));
  await assert.rejects(add({ digest: other }), isUserError("part-digest", refused));
  const omit = isUserError("part-digest", /omit --digest/);
  await assert.rejects(add({ digest: other, digests: { [key]: digest } }), omit);
  assert.deepEqual(host.traces("/data"), []);
});

test("a known digest identifies a file with another name", async () => {
  const { add, digest } = await hostWith(await program(), "/home/download(1).tgz");
  assert.equal((await add({ digests: { [key]: digest } })).file, fileName);
});

test("an unknown, unreadable or incomplete file is refused with the next step", async () => {
  const unknown = await hostWith(await program(), "/home/cri-dockerd.tgz");
  const list = new RegExp(`no part[\\s\\S]*cri-dockerd ${release.criDockerd.replaceAll(".", "\\.")}: ${fileName}`);
  await assert.rejects(unknown.add({ digest: unknown.digest }), isUserError("part-unknown", list));
  const { host, add } = await hostWith(await program());
  await assert.rejects(add({ version: "0.0.1" }), isUserError("part-unknown", /of version 0\.0\.1/));
  const missing = addPartFile(host, "/home/absent.tgz");
  await assert.rejects(missing, isUserError("part-unreadable", /no such file[\s\S]*permissions/));
  await assert.rejects(addPartFile(host, "/home"), isUserError("part-unreadable", /it is not a file/));
  for (const content of [await archiveOf({ "cri-dockerd/README": "" }), Buffer.from("not an archive")]) {
    const damaged = await hostWith(content);
    await assert.rejects(damaged.add({ digest: damaged.digest }), isUserError("part-damaged", /get the file again/));
    assert.deepEqual(damaged.host.traces("/data/part-files"), []);
  }
});

test("a part of several files is a source when it is complete", async () => {
  const { add, host, digest } = await hostWith(Buffer.from("kubelet"), "/home/kubelet");
  await assert.rejects(add({ digest }), isUserError("part-ambiguous", /several versions: .*--version VERSION/s));
  const { missing } = await add({ digest, version: kubernetesVersion });
  assert.ok(missing.includes("kubeadm") && !missing.includes("kubelet"));
  const { usable, reason } = await addedSource(host, {}).available(partOf("kubernetes"));
  assert.equal(usable, false);
  assert.match(reason, new RegExp(`^1 of ${missing.length + 1} files`));
});

test("a file that changes after it was added is not used", async () => {
  const { host, add, digest } = await hostWith(await program());
  await add({ digest });
  for (const file of host.traces("/data/part-files").filter((name) => name.endsWith(digest)))
    await host.files.writeAtomic(file, await archiveOf({ "cri-dockerd/cri-dockerd": "another program" }));
  const made = ensurePart(partOf("cri-dockerd"), [addedSource(host, {})], { host, progress: () => {} });
  await assert.rejects(made, isUserError("part-damaged", /has changed/));
});

const unusable: PartSource = {
  name: "source",
  provides: () => true,
  available: async () => ({ usable: false, reason: "there is no Go" }),
  fetch: async () => "nothing",
};

test("where a part has no source, the error says how to bring it", async () => {
  const bring =
    /there is no Go[\s\S]*npx groundplane part add cri-dockerd-\S+\.amd64\.tgz \(from https:\/\/[\s\S]*bundle load/;
  await assert.rejects(chooseSource(partOf("cri-dockerd"), [unusable]), isUserError("no-source", bring));
  const several = new RegExp(`part add kubeadm --version ${kubernetesVersion.replaceAll(".", "\\.")} \\(from `);
  await assert.rejects(chooseSource(partOf("kubernetes"), [unusable]), isUserError("no-source", several));
  const offline: PartSource = {
    ...unusable,
    available: async () => ({ usable: true, reason: "there is Go" }),
    fetch: async () => Promise.reject(new UserError("network", "no proxy", "check the network")),
  };
  const made = ensurePart(partOf("cri-dockerd"), [offline], { host: new RecordingHost(), progress: () => {} });
  await assert.rejects(made, isUserError("network", /check the network, or add the release's file: npx groundplane/));
});

test("doctor tells which programs are in the cache, which have a source, and how to bring the others", async () => {
  const { host, add, digest } = await hostWith(await program());
  const addons = { "metrics-server": false, metallb: false, registry: false };
  const wishes = { kubernetesVersion, distribution: "debian", options: { runtime: "docker" }, addons } as const;
  const check = (...sources: readonly PartSource[]) => checkParts("nspawn", wishes, host, sources);
  const count = kubernetesRecipe(kubernetesVersion, "docker").parts.length;
  const [inCache, ...missing] = await check(unusable);
  assert.equal(inCache?.text, `0 of ${count} programs of nodes are in the cache`);
  assert.deepEqual([...new Set(missing.map(({ state }) => state))], ["warning"]);
  assert.match(missing.find(({ text }) => /cri-dockerd/.test(text))?.hint ?? "", /part add cri-dockerd/);
  await add({ digest });
  const go: PartSource = { ...unusable, available: async () => ({ usable: true, reason: "there is Go" }) };
  const found = await check(addedSource(host, {}), go);
  assert.deepEqual([...new Set(found.map(({ state }) => state))], ["ok"]);
  assert.match(found.map(({ text }) => text).join("\n"), /from files \(.*\): cri-dockerd /);
  assert.match(found.map(({ text }) => text).join("\n"), /from source \(there is Go\): kubernetes /);
  await ensurePart(partOf("cri-dockerd"), [addedSource(host, {})], { host, progress: () => {} });
  assert.match((await check(unusable))[0]?.text ?? "", /^1 of /);
  const bundle: PartSource = { ...go, provides: ({ kind }) => kind === "disk" };
  assert.deepEqual(await checkParts("qemu", wishes, host, [bundle]), []);
});
