// The masters' command that makes an API server follow the administrators in its file, with Kubernetes' own API server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { clusterApi } from "../../guests/cluster-api";
import { rotateKeys } from "../../provider/resources/cluster-keys";
import { missingPrograms, type RealClusterApi, realClusterApi } from "../support/real-cluster-api";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-clients-"));
const inFolder = (name: string): string => path.join(folder, name);

describe("an API server follows its file of clients", () => {
  let missing: string | undefined;
  let server: RealClusterApi;
  let rotated: Readonly<Record<string, string>>;
  before(async () => {
    missing = await missingPrograms("etcd", "kube-apiserver", "kubectl");
    if (missing) return;
    server = await realClusterApi();
    rotated = await rotateKeys(server.keys, ["administrator"]);
    const scripts = path.join(__dirname, "../../cloud-init/scripts/kubernetes");
    fs.copyFileSync(path.join(scripts, "follow-clients.sh"), inFolder("follow-clients"));
    fs.writeFileSync(inFolder("cluster-state"), `read_phase() { phase=$(cat ${inFolder("phase")}); }\n`);
    fs.writeFileSync(inFolder("phase"), "member\n");
    fs.writeFileSync(inFolder("node.env"), `NODE_ADDRESS=127.0.0.1\nAPI_PORT=${server.port}\n`);
  });
  after(() => {
    server?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Its own processes must not end with a pipe of the test: no `spawnSync`, which would block the test's own requests. */
  async function followClients(...args: readonly string[]) {
    const env = { ...process.env, NODE_ENVIRONMENT: inFolder("node.env"), API_CLIENTS: server.clientsFile };
    const child = spawn("bash", [inFolder("follow-clients"), ...args], { env: { ...env, PATIENCE: "90" } });
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, text };
  }

  const certificates = (): number => fs.readFileSync(server.clientsFile, "utf8").split("BEGIN CERTIFICATE").length - 1;

  /** With a new connection, as the holder of a stolen certificate. */
  async function statusFor(keys: Readonly<Record<string, string>>): Promise<number> {
    const identity = { clientCertificate: keys["admin.crt"] ?? "", clientKey: keys["admin.key"] ?? "" };
    const api = clusterApi({ ...server.connection, ...identity });
    try {
      return (await api.request("GET", "/api/v1/secrets")).status;
    } finally {
      api.close();
    }
  }

  const added = (): string => Buffer.from(rotated["admin.crt"] ?? "").toString("base64");

  test("at first it accepts the certificate of its file only", async (t) => {
    if (missing) return t.skip(missing);
    assert.deepEqual([await statusFor(server.keys), await statusFor(rotated)], [200, 401]);
    assert.deepEqual(await followClients(), { code: 0, text: "" });
  });

  test("an added certificate is accepted beside the former one without a restart, and is added once", async (t) => {
    if (missing) return t.skip(missing);
    for (const _ of ["once", "again"]) {
      assert.deepEqual(await followClients(added()), { code: 0, text: "" });
      assert.equal(certificates(), 3);
      assert.deepEqual([await statusFor(server.keys), await statusFor(rotated)], [200, 200]);
    }
  });

  test("a certificate that the file no longer has is refused", async (t) => {
    if (missing) return t.skip(missing);
    fs.writeFileSync(`${server.clientsFile}.new`, `${server.keys["kubernetes-ca.crt"]}${rotated["admin.crt"]}`);
    fs.renameSync(`${server.clientsFile}.new`, server.clientsFile);
    assert.deepEqual(await followClients(), { code: 0, text: "" });
    assert.deepEqual([await statusFor(server.keys), await statusFor(rotated)], [401, 200]);
    const [program = "", ...words] = server.kubectl;
    for (const name of ["admin.crt", "admin.key"])
      fs.writeFileSync(inFolder(name), rotated[name] ?? "", { mode: 0o600 });
    const identity = [`--client-certificate=${inFolder("admin.crt")}`, `--client-key=${inFolder("admin.key")}`];
    const others = words.filter((word) => !word.startsWith("--client-"));
    const child = spawn(program, [...others, ...identity, "auth", "can-i", "*", "*"], { stdio: "ignore" });
    assert.deepEqual(await once(child, "close"), [0, null], "kubectl sends the certificate");
  });

  test("a master that is no member waits for nothing", async (t) => {
    if (missing) return t.skip(missing);
    fs.writeFileSync(inFolder("phase"), "waiting\n");
    fs.writeFileSync(inFolder("node.env"), "NODE_ADDRESS=127.0.0.1\nAPI_PORT=1\n");
    assert.deepEqual(await followClients(added()), { code: 0, text: "" });
  });
});
