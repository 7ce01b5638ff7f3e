// A rotation's commands on nodes: real bash, awk and openssl, with programs that stand for the cluster's.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, beforeEach, test } from "node:test";
import { encryptionConfiguration } from "../../cloud-init/files/kubernetes/encryption-configuration";
import { script } from "../../cloud-init/scripts/read-script";
import { runCommand } from "../../host/run-command";

const place = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-follow-keys-"));
const at = (...names: readonly string[]): string => path.join(place, ...names);
const read = (...names: readonly string[]): string => fs.readFileSync(at(...names), "utf8");
const write = (text: string, ...names: readonly string[]): void => fs.writeFileSync(at(...names), text);

const endProcesses = () => {
  for (const name of ["kube-apiserver", "kube-controller-manager"]) {
    if (!fs.existsSync(at(`${name}.pid`))) continue;
    process.kill(Number(read(`${name}.pid`)));
    fs.rmSync(at(`${name}.pid`));
  }
};
after(() => {
  endProcesses();
  fs.rmSync(place, { recursive: true, force: true });
});

const program = (name: string, text: string): void =>
  fs.writeFileSync(at("bin", name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });

const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey,
    key: privateKey.export({ type: "sec1", format: "pem" }) as string,
    pub: publicKey.export({ type: "spki", format: "pem" }) as string,
  };
};
type Pair = ReturnType<typeof pair>;
const accounts = [pair(), pair(), pair()] as const;
/** Of the present number and all former ones, newest first. */
const keysUntil = (number: number) =>
  Array.from({ length: number }, (_, index) => ({ name: `key${number - index}`, secret: `secret-${number - index}=` }));
const configurationOf = (...numbers: readonly number[]): string =>
  encryptionConfiguration(numbers.map((number) => ({ name: `key${number}`, secret: `secret-${number}=` })));

/** A master after its start, with these keys. */
beforeEach(() => {
  endProcesses();
  fs.rmSync(place, { recursive: true, force: true });
  for (const folder of ["bin", "pki", "patches", "new", "state", "pods"]) fs.mkdirSync(at(folder), { recursive: true });
  for (const name of ["follow-keys", "renew-tokens", "renew-secrets"])
    write(script(`kubernetes/${name}` as never), name);
  write(`read_phase() { phase=$(cat ${at("phase")}); }\nstate_folder=${at("state")}\n`, "cluster-state");
  write("member\n", "phase");
  write("NODE_ADDRESS=127.0.0.1\nAPI_PORT=1\n", "node.env");
  write("master-1 True\nmaster-2 True\nmaster-9 False\n", "nodes");
  const start = `sleep 600 </dev/null >/dev/null 2>&1 & echo $! >${at("$name.pid")}`;
  fs.writeFileSync(
    at("apply-control-plane"),
    `#!/bin/bash
for name in kube-apiserver kube-controller-manager; do
  patch=${at("patches")}/$name"4+merge.json"
  [ -e "$patch" ] || continue
  cmp --silent "$patch" ${at("applied-$name")} && continue
  cp "$patch" ${at("applied-$name")}
  echo "$name" >>${at("restarts")}
  kill "$(cat ${at("$name.pid")})"
  sleep 0.05
  ${start}
done
`,
    { mode: 0o755 },
  );
  program("pgrep", `name=\${!#}; name=\${name#^}; cat ${at("${name% }.pid")}`);
  program("curl", "exit 0");
  program("kubectl", `cat ${at("nodes")}`);
  program("systemctl", `echo "$*" >>${at("restarts")}; [ ! -e ${at("on-restart")} ] || bash ${at("on-restart")}`);
  program("sleep", '[ "$1" = 65 ] || exec /usr/bin/sleep "$1"');
});

async function settle(encryption: string, { key, pub }: Pair): Promise<void> {
  endProcesses();
  write(encryption, "encryption.yaml");
  write(key, "pki", "sa.key");
  write(pub, "pki", "sa.pub");
  for (const name of ["kube-apiserver", "kube-controller-manager"]) {
    const started = `/usr/bin/sleep 0.05; /usr/bin/sleep 600 </dev/null >/dev/null 2>&1 & echo $! >${at(`${name}.pid`)}`;
    await runCommand(["bash", "-c", started]);
  }
}

/** What the provider writes before the command. */
function deliver(number: number, { key, pub }: Pair): void {
  fs.mkdirSync(at("new"), { recursive: true });
  write(encryptionConfiguration(keysUntil(number)), "new", "encryption-all.yaml");
  write(encryptionConfiguration(keysUntil(number).slice(0, 1)), "new", "encryption-only.yaml");
  write(key, "new", "sa.key");
  write(pub, "new", "sa.pub");
}

const run = (name: string, ...words: readonly string[]) =>
  runCommand(["bash", at(name), ...words], {
    allowedExitCodes: [0, 1, 2],
    env: {
      ...{ PATH: `${at("bin")}:${process.env.PATH}`, NODE_ENVIRONMENT: at("node.env"), NEW_KEYS: at("new") },
      ...{ ENCRYPTION_CONFIGURATION: at("encryption.yaml"), PKI: at("pki"), PATCHES: at("patches"), PODS: at("pods") },
    },
  });

const follow = async (stage: string) => {
  const { exitCode, stderr } = await run("follow-keys", stage, "master-1", "master-2");
  return { exitCode, stderr };
};
const restarts = (): readonly string[] => {
  const lines = fs.existsSync(at("restarts")) ? read("restarts").trim().split("\n") : [];
  fs.rmSync(at("restarts"), { force: true });
  return lines;
};
const done = { exitCode: 0, stderr: "" };

test("a master goes through the stages, and restarts what reads the changed files, once for each", async () => {
  const [former, present] = accounts;
  await settle(configurationOf(1), former);
  deliver(2, present);
  for (const expected of [["kube-apiserver"], []]) {
    assert.deepEqual(await follow("accept"), done);
    assert.equal(read("encryption.yaml"), configurationOf(1, 2));
    assert.equal(read("pki", "sa.pub"), former.pub + present.pub);
    assert.equal(read("pki", "sa.key"), former.key);
    assert.deepEqual(restarts(), expected);
  }
  for (const expected of [["kube-apiserver", "kube-controller-manager"], []]) {
    assert.deepEqual(await follow("use"), done);
    assert.equal(read("encryption.yaml"), configurationOf(2, 1));
    assert.equal(read("pki", "sa.pub"), former.pub + present.pub);
    assert.equal(read("pki", "sa.key"), present.key);
    assert.deepEqual(restarts(), expected);
  }
  assert.deepEqual(await follow("accept"), done);
  assert.deepEqual(restarts(), [], "an earlier stage does nothing");
  for (const expected of [["kube-apiserver"], []]) {
    deliver(2, present);
    assert.deepEqual(await follow("only"), done);
    assert.equal(read("encryption.yaml"), configurationOf(2));
    assert.equal(read("pki", "sa.pub"), present.pub);
    assert.deepEqual(restarts(), expected);
    assert.ok(!fs.existsSync(at("new")), "the new keys are not left");
  }
  assert.equal(fs.statSync(at("encryption.yaml")).mode & 0o777, 0o600);
});

test("a rotation that follows an interrupted one keeps the key that each API server writes with", async () => {
  for (const [first, others] of [
    [1, [3, 2]],
    [2, [3, 1]],
  ] as const) {
    await settle(configurationOf(first, 3 - first), accounts[0]);
    deliver(3, accounts[2]);
    assert.deepEqual(await follow("accept"), done);
    assert.equal(read("encryption.yaml"), configurationOf(first, ...others));
  }
});

test("files that were written before a kill are read by a restarted API server", async () => {
  await settle(configurationOf(1), accounts[0]);
  deliver(2, accounts[0]);
  write(configurationOf(1, 2), "encryption.yaml");
  assert.deepEqual(await follow("accept"), done);
  assert.deepEqual(restarts(), ["kube-apiserver"]);
});

test("nothing changes on a master whose key the state lacks, or while a master leaves", async () => {
  await settle(configurationOf(7), accounts[0]);
  deliver(2, accounts[1]);
  const unknown = await follow("accept");
  assert.deepEqual([unknown.exitCode, /a key that the state .* does not have/.test(unknown.stderr)], [2, true]);
  await settle(configurationOf(1), accounts[0]);
  write("master-1 True\nmaster-2 True\nmaster-3 True\n", "nodes");
  const leaving = await follow("accept");
  assert.deepEqual(
    [leaving.exitCode, /^master-3 is a master that the plan does not have/.test(leaving.stderr)],
    [2, true],
  );
  assert.equal(read("encryption.yaml"), configurationOf(1));
  assert.equal(read("pki", "sa.pub"), accounts[0].pub);
  assert.deepEqual(restarts(), []);
  deliver(1, accounts[0]);
  assert.deepEqual(await follow("use"), done, "without a change it does not matter");
});

test("services restart by themselves", async () => {
  await settle(configurationOf(1), accounts[0]);
  deliver(2, accounts[1]);
  write('NODE_ADDRESS=127.0.0.1\nAPI_PORT=1\nCONTROL_PLANE_SERVICES="kube-apiserver"\n', "node.env");
  const follower = `until [ ! ${at("pki/sa.pub")} -ot ${at("new/sa.pub")} ] && grep -q key2 ${at("encryption.yaml")}; do /usr/bin/sleep 0.05; done
/usr/bin/sleep 0.1; kill $(cat ${at("kube-apiserver.pid")}); /usr/bin/sleep 600 </dev/null >/dev/null 2>&1 & echo $! >${at("kube-apiserver.pid")}`;
  const [result] = await Promise.all([follow("accept"), runCommand(["bash", "-c", follower])]);
  assert.deepEqual(result, done);
  assert.deepEqual(fs.readdirSync(at("patches")), []);
});

test("a master that is no member has the new keys already", async () => {
  deliver(2, accounts[1]);
  write("waiting\n", "phase");
  assert.deepEqual(await follow("accept"), done);
  assert.equal((await run("renew-tokens")).exitCode, 0);
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
function tokenOf(pod: string, { privateKey }: Pair, kid: string): string {
  const text = `${part({ alg: "ES256", kid })}.${part({ iss: "x", "kubernetes.io": { pod: { name: "p", uid: pod } } })}`;
  return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
}

/** As kubelets write it: a link to the present version. */
function volume(pod: string, files: Readonly<Record<string, string>>): void {
  const folder = at("pods", pod, "volumes", "kubernetes.io~projected", "kube-api-access");
  fs.mkdirSync(path.join(folder, "..1"), { recursive: true });
  fs.rmSync(path.join(folder, "..data"), { force: true });
  fs.symlinkSync("..1", path.join(folder, "..data"));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, "..1", name), text);
}

async function nameOf({ pub }: Pair): Promise<string> {
  write(pub, "one.pub");
  const der = `openssl pkey -pubin -in ${at("one.pub")} -outform DER | openssl dgst -sha256 -binary | base64`;
  return (await runCommand(["bash", "-c", der])).stdout
    .trim()
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace("=", "");
}

test("a kubelet restarts once when pods have tokens of the former key, until they are renewed", async () => {
  const [former, present] = accounts;
  const [old, kid] = [await nameOf(former), await nameOf(present)];
  deliver(2, present);
  const [one, two] = ["0d9f0d6c-1111", "7c1e2a90-2222"];
  // A token of another cluster, in a Secret that a pod mounts.
  const foreign = { "ca.crt": "-----BEGIN", other: tokenOf("another-pod", former, old) };
  volume(one, { token: tokenOf(one, former, old), ...foreign });
  volume(two, { token: tokenOf(two, present, kid) });
  const file = at("pods", one, "volumes/kubernetes.io~projected/kube-api-access/..1/token");
  write(`printf %s ${tokenOf(one, present, kid)} >${file}\n`, "on-restart");
  for (const expected of [["restart kubelet"], []]) {
    const { exitCode, stderr } = await run("renew-tokens");
    assert.deepEqual([exitCode, stderr], [0, ""]);
    assert.deepEqual(restarts(), expected);
    assert.deepEqual(fs.readdirSync(at("state")), []);
  }
});

/** A kubectl with the Secrets of the folder `secrets`: `NAMESPACE NAME TOKEN` in a file for each. */
test("token Secrets of the former key get new tokens, and Secrets that change meanwhile are written already", async () => {
  const [former, present] = accounts;
  const [old, kid] = [await nameOf(former), await nameOf(present)];
  deliver(2, present);
  const encoded = (token: string): string => Buffer.from(token).toString("base64");
  write(
    `default kept ${encoded(tokenOf("x", present, kid))}\nteam ci ${encoded(tokenOf("y", former, old))}\n`,
    "tokens",
  );
  write(
    `default kept ${encoded(tokenOf("x", present, kid))}\nteam ci ${encoded(tokenOf("y", present, kid))}\n`,
    "later",
  );
  program(
    "kubectl",
    `case " $* " in
*" --output json "*) echo '{"items":[]}' ;;
*" replace "*) cat >/dev/null; cat ${at("answer")} >&2; [ ! -s ${at("answer")} ] ;;
*" --field-selector "*) cat ${at("tokens")} ;;
*" patch "*) echo "$*" >>${at("restarts")}; mv ${at("later")} ${at("tokens")} ;;
esac`,
  );
  write('Error from server (Conflict): error when replacing "STDIN": it was modified\n', "answer");
  assert.equal((await run("renew-secrets")).exitCode, 0);
  const [patched = "", ...others] = restarts();
  assert.match(patched, /patch secret --namespace team ci --type merge --patch \{"data":\{"token":null\}\}/);
  assert.deepEqual(others, []);
  write('The Secret "x" is invalid\n', "answer");
  const refused = await run("renew-secrets");
  assert.deepEqual([refused.exitCode, refused.stderr], [1, 'The Secret "x" is invalid\n']);
});

test("a list of Secrets that fails is not taken for a cluster without Secrets", async () => {
  program(
    "kubectl",
    `case " $* " in
*" --output json "*) echo '{"items":[]}'; [ ! -e ${at("lost")} ] || { echo "Unable to connect" >&2; exit 1; } ;;
*" replace "*) cat >/dev/null; echo "error: no objects passed to replace" >&2; exit 1 ;;
esac`,
  );
  const renew = async () => {
    const { exitCode, stderr } = await run("renew-secrets");
    return { exitCode, stderr };
  };
  assert.deepEqual(await renew(), done);
  write("", "lost");
  assert.deepEqual(await renew(), { exitCode: 1, stderr: "Unable to connect\n" });
});

test("a command whose keys another one has removed asks for them again", async () => {
  await settle(configurationOf(1), accounts[0]);
  assert.deepEqual(await follow("accept"), { exitCode: 1, stderr: "the new keys are not on this master\n" });
  deliver(2, accounts[1]);
  assert.deepEqual(await follow("accept"), done);
});
