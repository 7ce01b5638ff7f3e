// The stages of the rotation of keys that masters share, with Kubernetes' own API server and etcd.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { script } from "../../cloud-init/scripts/read-script";
import { secretValue } from "../../components/secrets";
import { runCommand } from "../../host/run-command";
import { rotateKeys } from "../../provider/resources/cluster-keys";
import { builtProgram, missingPrograms, type RealClusterApi, realClusterApi } from "../support/real-cluster-api";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-rotated-"));
const at = (...names: readonly string[]): string => path.join(folder, ...names);
const restarted = ["encryption.yaml", "sa.key", "sa.pub"];

describe("keys that masters share", () => {
  let missing: string | undefined;
  let server: RealClusterApi;
  let stolen = "";
  before(async () => {
    missing = await missingPrograms("etcd", "etcdctl", "kube-apiserver", "kubectl");
    if (missing) return;
    server = await realClusterApi();
    const rotated = await rotateKeys(server.keys, ["encryption-key", "service-account-key"]);
    for (const name of ["bin", "new", "patches"]) fs.mkdirSync(at(name));
    for (const name of ["follow-keys", "renew-secrets"] as const)
      fs.writeFileSync(at(name), script(`kubernetes/${name}`));
    fs.writeFileSync(at("cluster-state"), `phase=member; state_folder=${folder}; read_phase() { :; }\n`);
    const settings = `NODE_ADDRESS=127.0.0.1\nAPI_PORT=${server.port}\nCONTROL_PLANE_SERVICES=all\n`;
    fs.writeFileSync(at("node.env"), settings);
    const program = (name: string, text: string) =>
      fs.writeFileSync(at("bin", name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    program("kubectl", `exec ${server.kubectl.map((word) => `'${word}'`).join(" ")} "$@"`);
    // No controller manager runs here.
    program("curl", '[[ "$*" = *10257* ]] || PATH=${PATH#*:} exec curl "$@"');
    program("pgrep", `cat ${at("process")}`);
    const deliver = (name: string, text: string) => fs.writeFileSync(at("new", name), text, { mode: 0o600 });
    deliver("encryption-all.yaml", secretValue(rotated, "encryption-configuration"));
    deliver("encryption-only.yaml", secretValue(rotated, "settled-encryption-configuration"));
    deliver("sa.key", secretValue(rotated, "service-account.key"));
    deliver("sa.pub", secretValue(rotated, "service-account.pub"));
  });
  after(() => {
    server?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const run = (name: string, ...words: readonly string[]) =>
    runCommand(["bash", at(name), ...words], {
      env: {
        ...{ PATH: `${at("bin")}:${process.env.PATH}`, NODE_ENVIRONMENT: at("node.env"), NEW_KEYS: at("new") },
        ...{ ENCRYPTION_CONFIGURATION: path.join(server.folder, "encryption.yaml"), PKI: server.folder },
        PATCHES: at("patches"),
      },
    });
  const kubectl = async (...words: readonly string[]): Promise<string> =>
    (await runCommand([...server.kubectl, ...words])).stdout.trim();
  const newToken = () => kubectl("create", "token", "robot");
  const statusOf = async (token: string): Promise<string> => {
    const url = `https://127.0.0.1:${server.port}/api`;
    const header = ["-H", `Authorization: Bearer ${token}`];
    return (await runCommand(["curl", "-sk", "-o", at("answer"), "-w", "%{http_code}", ...header, url])).stdout;
  };
  const beginningInEtcd = async (name: string): Promise<string> => {
    const words = ["get", `/registry/secrets/default/${name}`, "--print-value-only"];
    const { stdout } = await runCommand([builtProgram("etcdctl") ?? "", `--endpoints=${server.etcdUrl}`, ...words]);
    return /^k8s:enc:secretbox:v1:\w+:/.exec(stdout)?.[0] ?? stdout.slice(0, 20);
  };

  /** A stage of a master whose API server restarts for its changed files, as services do. */
  async function stage(name: string): Promise<void> {
    fs.writeFileSync(at("process"), `${server.processId()}\n`);
    const times = () => restarted.map((file) => fs.statSync(path.join(server.folder, file)).mtimeMs).join();
    const first = times();
    const following = run("follow-keys", name);
    while (times() === first) await sleep(50);
    await sleep(300); // all files are there
    await server.restart();
    fs.writeFileSync(at("process"), `${server.processId()}\n`);
    await following;
  }

  test("the former keys work until all use the new ones, and then nothing is left of them", async (t) => {
    if (missing) return t.skip(missing);
    await kubectl("create", "serviceaccount", "robot");
    await kubectl("create", "secret", "generic", "kept", "--from-literal=word=rotation");
    stolen = await newToken();
    assert.equal(await beginningInEtcd("kept"), "k8s:enc:secretbox:v1:key1:");
    await stage("accept");
    assert.equal(await statusOf(stolen), "200");
    await kubectl("create", "secret", "generic", "early", "--from-literal=word=rotation");
    assert.equal(await beginningInEtcd("early"), "k8s:enc:secretbox:v1:key1:");
    await stage("use");
    assert.deepEqual([await statusOf(stolen), await statusOf(await newToken())], ["200", "200"]);
    await kubectl("create", "secret", "generic", "late", "--from-literal=word=rotation");
    assert.equal(await beginningInEtcd("late"), "k8s:enc:secretbox:v1:key2:");
    await run("renew-secrets");
    for (const name of ["kept", "early", "late"])
      assert.equal(await beginningInEtcd(name), "k8s:enc:secretbox:v1:key2:", name);
    await stage("only");
    assert.deepEqual([await statusOf(stolen), await statusOf(await newToken())], ["401", "200"]);
    for (const name of ["kept", "early", "late"])
      assert.equal(await kubectl("get", "secret", name, "--output=jsonpath={.data.word}"), btoa("rotation"));
  });
});
