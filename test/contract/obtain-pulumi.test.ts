// The official download from a server on loopback, cached tools, and Go from a module proxy on loopback.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { pinnedDigests } from "../../model/pinned-downloads";
import { downloadPulumi, isDownloadReachable, mayDownload, type ReleaseSite } from "../../toolchain/download-pulumi";
import { checkPulumi } from "../../toolchain/obtain-pulumi";
import { findOwnPulumi } from "../../toolchain/own-pulumi";
import { isIntact, readRecord, sealFolder } from "../../toolchain/sealed-folder";

const ARCHIVE = `pulumi-v3.248.0-${process.platform}-${process.arch}.tar.gz`;
const CHECKSUMS = "pulumi-3.248.0-checksums.txt";
const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
const site = path.join(root, "site");
const bin = path.join(root, "bin");
const inherited = { data: process.env.GROUNDPLANE_DATA, path: process.env.PATH };
let releases: ReleaseSite;
let requests: { url: string; range: string | undefined }[] = [];

const server = http.createServer((request, response) => {
  requests.push({ url: path.basename(request.url ?? ""), range: request.headers.range });
  const file = path.join(site, path.basename(request.url ?? ""));
  if (!fs.existsSync(file)) return void response.writeHead(404).end();
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const content = fs.readFileSync(file).subarray(from);
  response.writeHead(from > 0 ? 206 : 200, { "content-length": content.length });
  response.end(request.method === "HEAD" ? undefined : content);
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  releases = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/releases/sdk`, allowHttp: true };
  process.env.GROUNDPLANE_DATA = path.join(root, "data");
});
beforeEach(() => {
  for (const folder of [site, bin]) {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder);
  }
  publish("3.248.0");
  requests = [];
});
after(() => {
  server.close();
  server.closeAllConnections();
  fs.rmSync(root, { recursive: true });
  if (inherited.data === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = inherited.data;
});

/** A release in the form of the official ones: a folder `pulumi` with the programs, and its checksum beside it. */
function publish(version: string): void {
  const folder = path.join(root, "release", "pulumi");
  fs.mkdirSync(folder, { recursive: true });
  writeProgram(path.join(folder, "pulumi"), `echo v${version}`);
  writeProgram(path.join(folder, "pulumi-language-nodejs"), "true");
  execFileSync("tar", ["-czf", path.join(site, ARCHIVE), "-C", path.dirname(folder), "pulumi"]);
  const sum = createHash("sha256")
    .update(fs.readFileSync(path.join(site, ARCHIVE)))
    .digest("hex");
  fs.writeFileSync(path.join(site, CHECKSUMS), `${"0".repeat(64)}  pulumi-v3.248.0-other.zip\n${sum}  ${ARCHIVE}\n`);
}

function writeProgram(file: string, text: string): void {
  fs.writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

const downloads = (): string => path.join(process.env.GROUNDPLANE_DATA as string, "parts");

test("a release is downloaded, verified by its published checksum and unpacked", async () => {
  assert.equal(await isDownloadReachable(undefined, releases), true);
  await downloadPulumi(bin, {}, releases, null);
  assert.equal(execFileSync(path.join(bin, "pulumi"), { encoding: "utf8" }), "v3.248.0\n");
  assert.ok(fs.existsSync(path.join(bin, "pulumi-language-nodejs")));
  assert.deepEqual(fs.readdirSync(downloads()), []);
});

test("an interrupted download resumes", async () => {
  fs.mkdirSync(downloads(), { recursive: true });
  fs.writeFileSync(
    path.join(downloads(), `${ARCHIVE}.partial`),
    fs.readFileSync(path.join(site, ARCHIVE)).subarray(0, 100),
  );
  await downloadPulumi(bin, {}, releases, null);
  assert.deepEqual(requests.at(-1), { url: ARCHIVE, range: "bytes=100-" });
  assert.ok(fs.existsSync(path.join(bin, "pulumi")));
});

test("a tampered release is refused, and is neither unpacked nor kept", async () => {
  fs.appendFileSync(path.join(site, ARCHIVE), "x");
  await assert.rejects(downloadPulumi(bin, {}, releases, null), { id: "pulumi-not-obtained", message: /checksum/ });
  assert.deepEqual(fs.readdirSync(bin), []);
  assert.deepEqual(fs.readdirSync(downloads()), []);
});

test("with a committed digest, a server cannot change a release and its checksum together", async () => {
  const digest = createHash("sha256")
    .update(fs.readFileSync(path.join(site, ARCHIVE)))
    .digest("hex");
  await downloadPulumi(bin, {}, releases, digest);
  assert.deepEqual(
    requests.map(({ url }) => url),
    [ARCHIVE],
  );
  fs.appendFileSync(path.join(site, ARCHIVE), "x");
  const changed = createHash("sha256")
    .update(fs.readFileSync(path.join(site, ARCHIVE)))
    .digest("hex");
  fs.writeFileSync(path.join(site, CHECKSUMS), `${changed}  ${ARCHIVE}\n`);
  const refused = { id: "pulumi-not-obtained", message: /checksum/ };
  await assert.rejects(downloadPulumi(bin, {}, releases, digest), refused);
});

test("without a committed digest, a release is downloaded only with consent", () => {
  const isPinned = Object.keys(pinnedDigests).includes(`pulumi 3.248.0 ${ARCHIVE}`);
  assert.equal(mayDownload(), isPinned);
  process.env.GROUNDPLANE_UNPINNED_DOWNLOADS = "1";
  try {
    assert.equal(mayDownload(), true);
  } finally {
    delete process.env.GROUNDPLANE_UNPINNED_DOWNLOADS;
  }
});

test("a release without a published checksum is refused", async () => {
  fs.writeFileSync(path.join(site, CHECKSUMS), "");
  await assert.rejects(downloadPulumi(bin, {}, releases, null), { id: "pulumi-not-obtained" });
});

test("an unreachable site is detected within seconds", async () => {
  const started = performance.now();
  assert.equal(await isDownloadReachable(undefined, { url: "http://127.0.0.1:1/releases", allowHttp: true }), false);
  assert.ok(performance.now() - started < 6_000);
});

test("the user's own Pulumi is used if it is recent enough and has its language host", async () => {
  const own = async (version: string, hasHost: boolean) => {
    fs.rmSync(bin, { recursive: true });
    fs.mkdirSync(bin);
    writeProgram(path.join(bin, "pulumi"), `echo v${version}`);
    if (hasHost) writeProgram(path.join(bin, "pulumi-language-nodejs"), "true");
    process.env.PATH = `${bin}:/usr/bin:/bin`;
    try {
      return (await findOwnPulumi())?.version;
    } finally {
      process.env.PATH = inherited.path;
    }
  };
  assert.equal(await own("3.250.1", true), "3.250.1");
  assert.equal(await own("3.247.0", true), undefined);
  assert.equal(await own("3.250.1", false), undefined);
});

test("doctor names Pulumi, its host and its plugin, and why the user's own Pulumi is not used", async () => {
  const found = async (version: string, hasHost = true) => {
    fs.rmSync(bin, { recursive: true });
    fs.mkdirSync(bin);
    writeProgram(path.join(bin, "pulumi"), version ? `echo v${version}` : "exit 1");
    if (hasHost) writeProgram(path.join(bin, "pulumi-language-nodejs"), "true");
    process.env.PATH = `${bin}:/usr/bin:/bin`;
    try {
      return (await checkPulumi()).map(({ text }) => text).join("\n");
    } finally {
      process.env.PATH = inherited.path;
    }
  };
  const own = fs.realpathSync(bin);
  assert.match(await found("3.200.0"), new RegExp(`not ${own}/pulumi: version 3.200.0, needed is 3.248.0`));
  assert.match(
    await found("3.250.0", false),
    new RegExp(`not ${own}/pulumi: pulumi-language-nodejs is not in its folder`),
  );
  assert.match(await found(""), new RegExp(`not ${own}/pulumi: .pulumi version. fails`));
  const used = await found("3.250.0");
  assert.match(used, new RegExp(`Pulumi 3.250.0 is in ${own} \\(your own\\)`));
  assert.match(used, /Node\.js host of Pulumi: the official one/);
  assert.match(used, /command plugin 1\.2\.1: not installed yet/);
});

test("a cached program with changed content is detected, a changed time alone is accepted", async () => {
  const folder = path.join(root, "kept");
  fs.mkdirSync(path.join(folder, "bin"), { recursive: true });
  const program = path.join(folder, "bin", "pulumi");
  fs.writeFileSync(program, "the program");
  assert.equal(await readRecord(folder), undefined);
  await sealFolder(folder, "build", path.join("bin", "pulumi"));
  const record = await readRecord(folder);
  assert.ok(record && (await isIntact(folder, record)));
  fs.utimesSync(program, 1, 1);
  assert.equal(await isIntact(folder, record), true);
  fs.writeFileSync(program, "THE program");
  assert.equal(await isIntact(folder, record), false);
});
