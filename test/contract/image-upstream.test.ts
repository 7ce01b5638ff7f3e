import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import * as tar from "tar-stream";
import { download } from "../../host/download";
import { localHost } from "../../host/local-host";
import { runCommand } from "../../host/run-command";
import { ensurePart } from "../../image/parts/ensure-part";
import type { Part } from "../../image/parts/part";
import { isPublished } from "../../image/parts/upstream-files";
import { keysOf, type UpstreamOptions, upstreamSource } from "../../image/parts/upstream-source";
import { kubernetesRecipe } from "../../image/recipes/kubernetes";
import { releaseOf, defaultKubernetesVersion as version } from "../../model/releases";
import { UserError } from "../../model/user-error";
import { ownDataFolder, storedNames } from "../support/small-image";

interface Server {
  readonly url: string;
  readonly ca: string;
  /** Path to body. A number is a status, and a text that begins with `/` is a redirect. */
  readonly files: Map<string, Buffer | number | string>;
  readonly requests: string[];
}

const release = releaseOf(version);
const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
const context = { host: localHost, progress: () => {} };
const isUserError = (id: string) => (error: unknown) => error instanceof UserError && error.id === id;

/** A server on 127.0.0.1 whose certificate only the test trusts. */
async function serve(t: TestContext, folder: string): Promise<Server> {
  const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const fresh = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await runCommand([...fresh, "-days", "2", ...subject, "-keyout", key, "-out", cert]);
  const [files, requests] = [new Map<string, Buffer | number | string>(), [] as string[]];
  const server = https.createServer(
    { key: await fs.readFile(key), cert: await fs.readFile(cert) },
    (request, response) => {
      requests.push(`${request.url} ${request.headers.range ?? ""}`.trim());
      const body = files.get(request.url ?? "") ?? 404;
      if (typeof body === "number") response.writeHead(body).end();
      else if (typeof body === "string") response.writeHead(302, { Location: body }).end();
      else {
        const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
        const status = start === 0 ? 200 : start < body.length ? 206 : 416;
        response.writeHead(status, status === 416 ? {} : { "Content-Length": body.length - start });
        response.end(status === 416 ? undefined : body.subarray(start));
      }
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://localhost:${port}`, ca: await fs.readFile(cert, "utf8"), files, requests };
}

function programsPart(name: string): Part {
  const recipe = kubernetesRecipe(version).parts.find((part) => part.name === name);
  return { kind: "programs", recipe: recipe ?? assert.fail(name) };
}

async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(files)) pack.entry({ name }, content);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

/** Publishes every file of the release on the server, as its projects do. */
async function publish({ files }: Server): Promise<void> {
  for (const program of kubernetesRecipe(version).parts[0]?.programs ?? []) {
    const content = Buffer.from(`this is ${program}`);
    files.set(`/k8s/v${version}/bin/linux/amd64/${program}`, `/elsewhere/${program}`);
    files.set(`/elsewhere/${program}`, content);
    files.set(`/k8s/v${version}/bin/linux/amd64/${program}.sha256`, Buffer.from(sha256(content)));
  }
  const etcdFolder = `etcd-v${release.etcd}-linux-amd64`;
  const etcd = await archiveOf({
    [`${etcdFolder}/README`]: "",
    [`${etcdFolder}/etcd`]: "e",
    [`${etcdFolder}/etcdctl`]: "c",
  });
  const etcdRelease = `/github/etcd-io/etcd/releases/download/v${release.etcd}`;
  files.set(`${etcdRelease}/${etcdFolder}.tar.gz`, etcd);
  files.set(`${etcdRelease}/SHA256SUMS`, Buffer.from(`${"0".repeat(64)}  x\n${sha256(etcd)}  ${etcdFolder}.tar.gz\n`));
  const coredns = await archiveOf({ coredns: "dns" });
  const corednsName = `coredns_${release.coredns}_linux_amd64.tgz`;
  const corednsFile = `/github/coredns/coredns/releases/download/v${release.coredns}/${corednsName}`;
  files.set(corednsFile, coredns);
  files.set(`${corednsFile}.sha256`, Buffer.from(`${sha256(coredns)}  ${corednsName}\n`));
  const flannel = Buffer.from("flannel");
  files.set(`/github/flannel-io/flannel/releases/download/v${release.flannel}/flanneld-amd64`, flannel);
  const asset = { name: "flanneld-amd64", digest: `sha256:${sha256(flannel)}` };
  files.set(
    `/api/repos/flannel-io/flannel/releases/tags/v${release.flannel}`,
    Buffer.from(JSON.stringify({ assets: [asset] })),
  );
  const layer = await archiveOf({ pause: "zzz" });
  const manifest = Buffer.from(JSON.stringify({ layers: [{ digest: `sha256:${sha256(layer)}` }] }));
  const platform = { os: "linux", architecture: "amd64" };
  const index = { manifests: [{ digest: `sha256:${sha256(manifest)}`, platform }] };
  files.set(`/registry/v2/pause/manifests/${release.pause}`, Buffer.from(JSON.stringify(index)));
  files.set(`/registry/v2/pause/manifests/sha256:${sha256(manifest)}`, manifest);
  files.set(`/registry/v2/pause/blobs/sha256:${sha256(layer)}`, layer);
  files.set("/k8s/stable.txt", Buffer.from(`v${version}`));
}

function sourceOn({ url, ca }: Server, options: Pick<UpstreamOptions, "digests" | "unpinned"> = { unpinned: true }) {
  const addresses = {
    kubernetes: `${url}/k8s`,
    github: `${url}/github`,
    githubApi: `${url}/api`,
    registry: `${url}/registry`,
  };
  return upstreamSource(localHost, { addresses, ca, ...options });
}

test("every part is downloaded through redirects and verified by its published checksum", async (t) => {
  const server = await serve(t, await ownDataFolder(t));
  await publish(server);
  const source = sourceOn(server);
  assert.equal((await source.available()).usable, true);
  for (const { name, programs } of kubernetesRecipe(version).parts.filter(isPublished)) {
    const { content } = await ensurePart(programsPart(name), [source], context);
    assert.deepEqual((await fs.readdir(content)).sort(), [...programs].sort());
    for (const program of programs) assert.ok((await fs.stat(path.join(content, program))).mode & 0o100, program);
  }
});

/** The digests of what the server has now, as they would be committed. */
function digestsOn({ files }: Server): Record<string, string> {
  const bodies = [...files.values()].filter((body) => Buffer.isBuffer(body));
  return Object.fromEntries(
    kubernetesRecipe(version)
      .parts.filter(isPublished)
      .flatMap((recipe) => keysOf(recipe))
      .map((key) => {
        const file = key.slice(key.lastIndexOf(" ") + 1);
        const place = file === "image" ? `/registry/v2/pause/manifests/${release.pause}` : undefined;
        const name = [...files.keys()].find((each) => each === place || each.endsWith(`/${file}`));
        const body = files.get(name ?? assert.fail(key));
        const content = typeof body === "string" ? files.get(body) : body;
        assert.ok(bodies.includes(content as Buffer), key);
        return [key, sha256(content as Buffer)];
      }),
  );
}

test("with committed digests, no published checksum is asked for", async (t) => {
  const server = await serve(t, await ownDataFolder(t));
  await publish(server);
  const digests = digestsOn(server);
  const index = server.files.get(`/registry/v2/pause/manifests/${release.pause}`) as Buffer;
  server.files.set(`/registry/v2/pause/manifests/sha256:${sha256(index)}`, index);
  const source = sourceOn(server, { digests, unpinned: false });
  for (const { name } of kubernetesRecipe(version).parts.filter(isPublished))
    await ensurePart(programsPart(name), [source], context);
  assert.deepEqual(
    server.requests.filter((request) => /sha256$|SHA256SUMS|\/api\//.test(request) || request.endsWith(release.pause)),
    [],
  );
});

test("a server that changes a file and its checksum together is refused", async (t) => {
  const server = await serve(t, await ownDataFolder(t));
  await publish(server);
  const digests = digestsOn(server);
  const changed = Buffer.from("this is kube-pr0xy");
  server.files.set("/elsewhere/kube-proxy", changed);
  server.files.set(`/k8s/v${version}/bin/linux/amd64/kube-proxy.sha256`, Buffer.from(sha256(changed)));
  const part = programsPart("kubernetes");
  await assert.rejects(ensurePart(part, [sourceOn(server, { digests })], context), isUserError("checksum"));
});

test("a part without committed digests is not downloaded, and the reason names the consent", async (t) => {
  const server = await serve(t, await ownDataFolder(t));
  await publish(server);
  const digests = digestsOn(server);
  for (const key of Object.keys(digests)) if (key.startsWith("etcd ")) delete digests[key];
  const source = sourceOn(server, { digests, unpinned: false });
  assert.equal((await source.available(programsPart("coredns"))).usable, true);
  const { usable, reason } = await source.available(programsPart("etcd"));
  assert.equal(usable, false);
  assert.match(reason, /no digest.*GROUNDPLANE_UNPINNED_DOWNLOADS=1/);
  assert.equal((await sourceOn(server, { digests: {}, unpinned: false }).available()).usable, false);
});

test("a tampered file is refused, and nothing of its part is kept", async (t) => {
  const data = await ownDataFolder(t);
  const server = await serve(t, data);
  await publish(server);
  server.files.set("/elsewhere/kube-proxy", Buffer.from("this is kube-pr0xy"));
  await assert.rejects(ensurePart(programsPart("kubernetes"), [sourceOn(server)], context), isUserError("checksum"));
  assert.deepEqual(await storedNames(data), ["parts/downloads"]);
  assert.deepEqual(await fs.readdir(path.join(data, "parts/downloads")), []);

  const layer = [...server.files.keys()].find((name) => name.startsWith("/registry/v2/pause/blobs/")) ?? "";
  server.files.set(layer, await archiveOf({ pause: "evil" }));
  await assert.rejects(ensurePart(programsPart("pause"), [sourceOn(server)], context), isUserError("checksum"));
  const manifest =
    [...server.files.keys()].find((name) => name.startsWith("/registry/v2/pause/manifests/sha256:")) ?? "";
  server.files.set(manifest, Buffer.from(`{"layers":[{"digest":"sha256:${"0".repeat(64)}"}]}`));
  await assert.rejects(ensurePart(programsPart("pause"), [sourceOn(server)], context), isUserError("checksum"));
  server.files.set(`/api/repos/flannel-io/flannel/releases/tags/v${release.flannel}`, Buffer.from('{"assets":[]}'));
  await assert.rejects(ensurePart(programsPart("flannel"), [sourceOn(server)], context), isUserError("checksum"));
});

test("a broken download resumes where it stopped", async (t) => {
  const data = await ownDataFolder(t);
  const server = await serve(t, data);
  const content = Buffer.alloc(100_000, "abc");
  server.files.set("/file", content);
  const file = path.join(data, "file");
  const options = { sha256: sha256(content), ca: server.ca };
  await fs.writeFile(`${file}.partial`, content.subarray(0, 40_000));
  await download(`${server.url}/file`, file, options);
  assert.deepEqual(server.requests, ["/file bytes=40000-"]);
  assert.ok((await fs.readFile(file)).equals(content));

  // The process was killed after it had received the complete file.
  await fs.rename(file, `${file}.partial`);
  await download(`${server.url}/file`, file, options);
  assert.ok((await fs.readFile(file)).equals(content));
});

test("an unreachable server, a refusal and an untrusted certificate each give a clear error", async (t) => {
  const data = await ownDataFolder(t);
  const server = await serve(t, data);
  const options = { sha256: "0".repeat(64), ca: server.ca };
  const file = path.join(data, "file");
  server.files.set("/refused", 403);
  server.files.set("/loop", "/loop");
  await assert.rejects(download(`${server.url}/refused`, file, options), isUserError("download-refused"));
  await assert.rejects(download(`${server.url}/loop`, file, options), isUserError("download-refused"));
  await assert.rejects(download("http://localhost/file", file, options), isUserError("download-refused"));
  await assert.rejects(download(`${server.url}/refused`, file, { ...options, ca: undefined }), isUserError("network"));
  await assert.rejects(download("https://127.0.0.1:1/file", file, options), isUserError("network"));
  const nowhere = { kubernetes: "https://127.0.0.1:1", github: "", githubApi: "", registry: "" };
  const { usable, reason } = await upstreamSource(localHost, { addresses: nowhere, unpinned: true }).available();
  assert.equal(usable, false);
  assert.match(reason, /127\.0\.0\.1:1 does not answer/);
});
