// Proxy variables against an HTTPS server and a proxy on loopback. The proxy connects every host to that server.
import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { download } from "../../host/download";
import { exemptLoopback } from "../../host/exempt-loopback.cjs";
import { httpGetText } from "../../host/http-get";
import { projectFolder } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";

const variables = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "no_grpc_proxy"];
const inherited = variables.map((name) => [name, process.env[name]] as const);
const content = Buffer.alloc(50_000, "abc");
const sha256 = createHash("sha256").update(content).digest("hex");
const connects: string[] = [];
const ranges: (string | undefined)[] = [];
let folder: string;
let ca: string;
let origin: https.Server;
let proxy: http.Server;

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;
const proxyUrl = (): string => `http://user:pass%20word@127.0.0.1:${portOf(proxy)}`;
const set = (settings: Readonly<Record<string, string>>): void => void Object.assign(process.env, settings);

before(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "groundplane-test-"));
  const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
  const names = "subjectAltName=DNS:localhost,DNS:files.example,DNS:inside.example";
  const argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const subject = ["-days", "2", "-subj", "/CN=localhost", "-addext", names];
  await runCommand([...argv, ...subject, "-keyout", key, "-out", cert]);
  ca = await fs.readFile(cert, "utf8");
  origin = https.createServer({ key: await fs.readFile(key), cert: ca }, (request, response) => {
    ranges.push(request.headers.range);
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200).end(request.url === "/text" ? "hello" : content.subarray(start));
  });
  proxy = http.createServer();
  proxy.on("connect", (request: http.IncomingMessage, client: net.Socket) => {
    connects.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
    const server = net.connect(portOf(origin), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      server.pipe(client).pipe(server);
    });
    for (const socket of [server, client]) socket.on("error", () => {});
  });
  for (const server of [origin, proxy]) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});

afterEach(() => {
  for (const name of variables) delete process.env[name];
  connects.length = 0;
  ranges.length = 0;
});

after(async () => {
  for (const [name, value] of inherited) if (value !== undefined) process.env[name] = value;
  for (const server of [origin, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  await fs.rm(folder, { recursive: true });
});

for (const name of ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"]) {
  test(`${name} names the proxy of a request, with its user and password`, async () => {
    set({ [name]: proxyUrl() });
    assert.equal(await httpGetText("https://files.example/text", { ca }), "hello");
    assert.deepEqual(connects, [`files.example:443 Basic ${Buffer.from("user:pass word").toString("base64")}`]);
  });
}

test("a download through a proxy resumes and compares its checksum", async () => {
  set({ https_proxy: proxyUrl() });
  const file = path.join(folder, "file");
  await fs.writeFile(`${file}.partial`, content.subarray(0, 20_000));
  await download("https://files.example/file", file, { sha256, ca });
  assert.ok((await fs.readFile(file)).equals(content));
  assert.deepEqual(ranges, ["bytes=20000-"]);
  assert.equal(connects.length, 1);
  const wrong = download("https://files.example/file", file, { sha256: "0".repeat(64), ca });
  await assert.rejects(wrong, { id: "checksum" });
});

test("loopback and the hosts in NO_PROXY are reached without the proxy", async () => {
  set({ https_proxy: proxyUrl(), HTTP_PROXY: proxyUrl() });
  assert.equal(await httpGetText(`https://localhost:${portOf(origin)}/text`, { ca }), "hello");
  for (const name of ["no_proxy", "NO_PROXY"]) {
    set({ [name]: "other.example,.example" });
    // Without the proxy, this name does not resolve.
    await assert.rejects(httpGetText("https://inside.example/text", { ca }), { id: "network" });
    delete process.env[name];
  }
  assert.deepEqual(connects, []);
});

test("a proxy that refuses, is unreachable or has an invalid address gives a clear error", async () => {
  set({ https_proxy: "http://127.0.0.1:1" });
  await assert.rejects(httpGetText("https://files.example/text", { ca }), { id: "network" });
  set({ https_proxy: "http://" });
  await assert.rejects(httpGetText("https://files.example/text", { ca }), {
    id: "network",
    message: /proxy variables/,
  });
});

test("started programs do not use a proxy for loopback", async () => {
  const exempted = (environment: NodeJS.ProcessEnv) => exemptLoopback({ ...environment });
  const loopback = "localhost,127.0.0.1,::1,[::1]";
  assert.deepEqual(exempted({}), { no_proxy: loopback, NO_PROXY: loopback, no_grpc_proxy: loopback });
  assert.equal(exempted({ NO_PROXY: "a, localhost" }).no_proxy, "a,localhost,127.0.0.1,::1,[::1]");
  assert.equal(exempted({ no_proxy: "a" }).NO_PROXY, `a,${loopback}`);
  assert.equal(exempted({ no_proxy: "*" }).no_proxy, "*");
  assert.equal(exempted({ no_proxy: "*" }).no_grpc_proxy, loopback);
  assert.deepEqual(exempted(exempted({ no_proxy: "a" })), exempted({ no_proxy: "a" }));
  const preload = path.join(projectFolder(), "toolchain", "preload.cjs");
  const argv = [process.execPath, "--require", preload, "-p", "process.env.no_grpc_proxy"];
  assert.equal((await runCommand(argv)).stdout.trim(), loopback);
});
