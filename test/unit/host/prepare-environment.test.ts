import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { harmful, prepareEnvironment, safeUmask } from "../../../host/prepare-environment.cjs";

const session = {
  SSH_AUTH_SOCK: "/tmp/ssh-gone/agent.1",
  SSH_ASKPASS: "/usr/bin/false",
  GIT_DIR: "/elsewhere/.git",
  GIT_CONFIG_COUNT: "1",
  KUBECONFIG: "/home/ann/.kube/config",
  LANG: "de_DE.UTF-8",
  LC_MESSAGES: "de_DE.UTF-8",
  LANGUAGE: "de",
  BASH_ENV: "/tmp/evil",
  "BASH_FUNC_ls%%": "() { rm; }",
  TAR_OPTIONS: "--strip-components=9",
  GOOS: "plan9",
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1",
  ETCDCTL_ENDPOINTS: "https://other:2379",
  NODE_TLS_REJECT_UNAUTHORIZED: "0",
  PULUMI_DIY_BACKEND_GZIP: "true",
  PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
  PULUMI_DEBUG_PROVIDERS: "groundplane:1234",
  PULUMI_OPTION_CONFIG_FILE: "/elsewhere/Pulumi.other.yaml",
};
const kept = {
  PATH: "/usr/bin",
  HOME: "/home/ann",
  TERM: "xterm",
  HTTPS_PROXY: "http://proxy:3128",
  GOPROXY: "https://proxy.example",
  PULUMI_CONFIG_PASSPHRASE: "long",
  PULUMI_BACKEND_URL: "s3://states",
  PULUMI_ACCESS_TOKEN: "token",
  PULUMI_PARALLEL: "3",
  NODE_EXTRA_CA_CERTS: "/etc/ssl/company.pem",
  GROUNDPLANE_DATA: "/data",
  LANGFORD: "not a locale",
};

test("variables that can only harm are removed, all others stay", () => {
  const environment = prepareEnvironment({ ...session, ...kept }, "darwin");
  for (const name of Object.keys(session)) assert.equal(environment[name], undefined, name);
  for (const [name, value] of Object.entries(kept)) assert.equal(environment[name], value, name);
});

test("each row has a reason and a variable that shows it", () => {
  for (const { names, why } of harmful) {
    assert.ok(why.length > 10, String(names));
    assert.ok(
      Object.keys(session).some((name) => names.test(name)) || /POSIXLY|TAR|GOOS|HELM/.test(String(names)),
      String(names),
    );
  }
});

test("a temporary folder that does not exist is not used, and one with any name is", () => {
  const unusable = { TMPDIR: "/nowhere/tmp", TMP: "relative", TEMP: __filename };
  assert.deepEqual(
    Object.keys(prepareEnvironment({ ...unusable }, "darwin")).filter((name) => /TE?MP/.test(name)),
    [],
  );
  const folder = mkdtempSync(path.join(tmpdir(), "groundplane-test ü #"));
  try {
    assert.equal(prepareEnvironment({ TMPDIR: folder }, "darwin").TMPDIR, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the home of the user's entry stands in for a HOME that is missing, empty or relative", () => {
  for (const wrong of [{}, { HOME: "" }, { HOME: "home" }])
    assert.equal(prepareEnvironment({ ...wrong }, "linux").HOME, userInfo().homedir);
  assert.equal(prepareEnvironment({ HOME: "/home/ann" }, "linux").HOME, "/home/ann");
});

test("no umask lets other users write, or locks the user out", () => {
  const masks = [0o000, 0o002, 0o022, 0o027, 0o077, 0o777].map(safeUmask);
  assert.deepEqual(masks, [0o022, 0o022, 0o022, 0o027, 0o077, 0o077]);
});

test("Linux gets a locale with English messages and file names in UTF-8", () => {
  assert.equal(prepareEnvironment({ LC_ALL: "de_DE@euro" }, "linux").LC_ALL, "C.UTF-8");
  assert.equal(prepareEnvironment({ LC_ALL: "de_DE@euro" }, "win32").LC_ALL, undefined);
});

test("loopback stays exempt from proxies", () => {
  assert.match(prepareEnvironment({}).no_proxy ?? "", /127\.0\.0\.1/);
});

test("every program that starts others prepares its environment", () => {
  for (const file of ["cli/main.ts", "cli/start.cjs", "provider/main.ts", "toolchain/preload.cjs"]) {
    const text = readFileSync(path.join(__dirname, "..", "..", "..", file), "utf8");
    assert.match(text, /^\s*prepareEnvironment\(\);$/m, file);
  }
});
