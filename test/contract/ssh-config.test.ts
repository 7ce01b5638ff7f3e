// The system's ssh with our configuration in folders of any name, against our own SSH server on loopback.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { sshWords, writeSshFiles } from "../../guests/ssh-files";
import type { StackOutputs } from "../../model/stack-outputs";
import { type SshServer, startSshServer } from "../support/ssh-server";

const skip = spawnSync("ssh", ["-V"]).error ? "ssh is not installed" : false;
const inherited = process.env.GROUNDPLANE_DATA;
const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
let server: SshServer;

before(async () => {
  server = await startSshServer();
});
after(async () => {
  await server.stop();
  if (inherited === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = inherited;
  fs.rmSync(root, { recursive: true });
});

/** Outputs of a stack whose gateway and only node are the server. */
function outputs(): StackOutputs {
  const node = { name: "worker-1", role: "worker", address: "127.0.0.1", fqdn: "", macs: [], hostKey: server.hostKey };
  return {
    gatewaySsh: { host: "127.0.0.1", port: server.port, hostKey: server.hostKey },
    inventory: [{ ...node, name: "gateway" }, node],
    sshPrivateKey: server.clientKey,
    knownHosts: `[127.0.0.1]:${server.port} ${server.hostKey}\n`,
  } as unknown as StackOutputs;
}

function run(argv: readonly string[]) {
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(argv[0] as string, argv.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

for (const name of ["plain", "with space", "50% #1 ? äöü", 'it\'s "quoted" $(id) `id` \\x']) {
  test(`a node is reached through the gateway from a data folder called ${name}`, { skip }, async () => {
    process.env.GROUNDPLANE_DATA = path.join(root, name);
    const { config, key, knownHosts } = await writeSshFiles("lab", outputs());
    const settings = spawnSync("ssh", ["-G", "-F", config, "worker-1"], { encoding: "utf8" });
    assert.equal(settings.status, 0, settings.stderr);
    // Versions differ in whether they print the expanded path.
    const printed = settings.stdout.replaceAll("%%", "%");
    for (const file of [`identityfile ${key}\n`, knownHosts]) assert.ok(printed.includes(file), printed);
    const forwards = server.forwards();
    // Nodes listen on port 22, which no test can use.
    const [ssh = "", ...words] = sshWords(config, "worker-1", ["echo", "through"]);
    const { code, output } = await run([ssh, "-o", `Port=${server.port}`, ...words]);
    assert.deepEqual([code, output], [0, "through\n"]);
    assert.equal(server.forwards(), forwards + 1, "not through the gateway");
  });
}
