// remote.Command with our own SSH server on loopback. The official plugin passes the same tests.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type SshServer, startSshServer } from "../support/ssh-server";
import { OFFICIAL, type TinyProject, tinyProject } from "../support/tiny-project";

let project: TinyProject;
let server: SshServer;
let makeEmpty: () => void;

before(async () => {
  server = await startSshServer();
  project = await tinyProject("export {};", { compiled: true });
  await project.pulumi(["up", "--yes", "--skip-preview"]);
  makeEmpty = project.keepState();
});
beforeEach(() => {
  project.writeProgram("export {};");
  makeEmpty();
});
after(async () => {
  project?.remove();
  await server?.stop();
});

async function up(args: string, connection: object = {}, options = "{}") {
  const all = { host: "127.0.0.1", port: server.port, user: "tester", hostKey: server.hostKey, ...connection };
  project.writeProgram(`import * as pulumi from "@pulumi/pulumi"; import { remote } from "@pulumi/command";
    const connection = pulumi.secret({ ...${JSON.stringify(all)}, privateKey: ${JSON.stringify(server.clientKey)} });
    const it = new remote.Command("it", { connection, ...${args} }, ${options});
    export const { stdout, stderr } = it;`);
  return project.pulumi(["up", "--yes", "--skip-preview"]);
}

async function outputs(): Promise<Record<string, string>> {
  return JSON.parse((await project.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout);
}

test("a command runs on the host, with its input", async () => {
  const run = await up(`{ create: "cat; echo aside >&2", stdin: "from here" }`);
  assert.equal(run.code, 0, run.output);
  assert.deepEqual(await outputs(), { stdout: "from here", stderr: "aside" });
  assert.ok(!project.stateText().includes("BEGIN"), "the private key is in clear in the state");
});

test("create, update and delete run on the host", async () => {
  await up(`{ create: "true # 1", update: "true # 2", delete: "true # 3" }`);
  await up(`{ create: "true # 1", update: "true # two", delete: "true # 3" }`);
  project.writeProgram("export {};");
  await project.pulumi(["up", "--yes", "--skip-preview"]);
  assert.deepEqual(server.commands().slice(-3), ["true # 1", "true # two", "true # 3"]);
});

test("a failure shows the exit status and the output", async () => {
  const run = await up(`{ create: "echo the reason; exit 4" }`);
  assert.notEqual(run.code, 0);
  assert.match(run.output, /status 4/);
  assert.match(run.output, /the reason/);
});

test("a connection goes through a proxy", async () => {
  const proxy = { host: "127.0.0.1", port: server.port, user: "proxy-user", password: server.password };
  const run = await up(`{ create: "echo through" }`, { proxy });
  assert.equal(run.code, 0, run.output);
  assert.equal((await outputs()).stdout, "through");
  assert.equal(server.forwards(), 1);
});

test("a host with a different key is refused and gets no command", async () => {
  const before = server.commands().length;
  const run = await up(`{ create: "echo never" }`, { hostKey: server.otherHostKey, dialErrorLimit: 1 });
  assert.notEqual(run.code, 0);
  assert.equal(server.commands().length, before);
});

test("dialling is repeated while the host refuses, up to the limit", async () => {
  server.refuseNext(3);
  const patient = await up(`{ create: "echo at last" }`, { dialErrorLimit: 5 });
  assert.equal(patient.code, 0, patient.output);
  server.refuseNext(100);
  const impatient = await up(`{ create: "echo never again" }`, { dialErrorLimit: 2 });
  server.refuseNext(0);
  assert.notEqual(impatient.code, 0);
  assert.match(impatient.output, /after 2 failed attempts/);
});

test("unlimited dialling ends at the resource's timeout", async () => {
  server.refuseNext(1_000);
  const run = await up(`{ create: "echo never" }`, { dialErrorLimit: -1 }, `{ customTimeouts: { create: "2s" } }`);
  server.refuseNext(0);
  assert.notEqual(run.code, 0);
  assert.ok(run.seconds < 45, `took ${run.seconds} s`);
});

// The official plugin limits the TCP connection only, and waits for the handshake without end.
test("a silent host counts as a failed attempt after perDialTimeout", async (context) => {
  if (!project.standIns.plugin) return context.skip(OFFICIAL);
  const silent = await server.listenSilently();
  const run = await up(`{ create: "echo never" }`, { port: silent, dialErrorLimit: 4, perDialTimeout: 1 });
  assert.notEqual(run.code, 0);
  // Five attempts with the default of 15 s take 75 s.
  assert.ok(run.seconds < 70, `took ${run.seconds} s`);
});
