import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import {
  chooseBackend,
  credentialsFolder,
  fileUrl,
  formatShellExports,
  pulumiEnvironment,
} from "../../../toolchain/pulumi-environment";

let data: string;
let home: string;
const before = process.env.GROUNDPLANE_DATA;

beforeEach(() => {
  data = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  home = path.join(data, "home");
  fs.mkdirSync(home);
  process.env.GROUNDPLANE_DATA = data;
});
afterEach(() => {
  if (before === undefined) delete process.env.GROUNDPLANE_DATA;
  else process.env.GROUNDPLANE_DATA = before;
  fs.rmSync(data, { recursive: true });
});

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: "/usr/bin:/bin",
  PULUMI_HOME: home,
  ...more,
});

test("by default, state, home and passphrase are on this host", async () => {
  const variables = await pulumiEnvironment("/tools/bin", environment());
  assert.equal(variables.PULUMI_BACKEND_URL, `file://${data}/state`);
  assert.equal(variables.PULUMI_CONFIG_PASSPHRASE_FILE, `${data}/passphrase`);
  assert.equal(variables.PATH, "/tools/bin:/usr/bin:/bin");
});

test("the passphrase is created once, is long, and only its owner can read it", async () => {
  const file = (await pulumiEnvironment("/bin", environment())).PULUMI_CONFIG_PASSPHRASE_FILE as string;
  const text = fs.readFileSync(file, "utf8");
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.ok(Buffer.from(text.trim(), "base64url").length >= 32);
  await pulumiEnvironment("/bin", environment());
  assert.equal(fs.readFileSync(file, "utf8"), text);
});

test("the environment does not contain the passphrase", async () => {
  const variables = await pulumiEnvironment("/bin", environment());
  const passphrase = fs.readFileSync(variables.PULUMI_CONFIG_PASSPHRASE_FILE as string, "utf8").trim();
  assert.ok(!JSON.stringify(variables).includes(passphrase));
});

for (const variable of ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"]) {
  test(`the user's own ${variable} selects the backend`, async () => {
    const given = environment({ [variable]: "s3://their-state" });
    const { kind, why } = (await chooseBackend(given)) as { kind: string; why: string };
    assert.deepEqual({ kind, why }, { kind: "user", why: variable });
    assert.equal((await pulumiEnvironment("/bin", given)).PULUMI_BACKEND_URL, undefined);
  });
}

test("our own backend in the environment counts as local", async () => {
  const { PULUMI_BACKEND_URL } = await pulumiEnvironment("/bin", environment());
  assert.equal((await chooseBackend(environment({ PULUMI_BACKEND_URL }))).kind, "local");
});

test("a user's login selects the backend and is read where it is; nothing of ours is put into the user's home", async () => {
  fs.writeFileSync(path.join(home, "credentials.json"), JSON.stringify({ current: "https://api.pulumi.com" }));
  assert.equal((await chooseBackend(environment())).kind, "user");
  const variables = await pulumiEnvironment("/bin", environment());
  assert.equal(variables.PULUMI_HOME, `${data}/pulumi`);
  assert.equal(variables.PULUMI_CREDENTIALS_PATH, home);
  // A shell that has evaluated these variables.
  const again = environment(variables);
  assert.equal(credentialsFolder(again), home);
  assert.equal((await chooseBackend(again)).kind, "user");
});

test("a passphrase that is set but empty is refused, with the next step", async () => {
  const empty = { PULUMI_CONFIG_PASSPHRASE: "" };
  await assert.rejects(pulumiEnvironment("/bin", environment(empty)), { id: "empty-passphrase", message: /unset/ });
  await assert.rejects(pulumiEnvironment("/bin", environment({ ...empty, PULUMI_BACKEND_URL: "s3://theirs" })), {
    id: "empty-passphrase",
  });
  assert.equal(fs.existsSync(path.join(data, "passphrase")), false);
  // Pulumi's own service does not use it, and scripts often set it so.
  for (const url of ["https://api.pulumi.com", "http://localhost:8080"]) {
    await pulumiEnvironment("/bin", environment({ ...empty, PULUMI_BACKEND_URL: url }));
  }
  await pulumiEnvironment("/bin", environment({ ...empty, PULUMI_ACCESS_TOKEN: "pul-1" }));
});

test("a passphrase file that is empty or missing is refused", async () => {
  const file = path.join(data, "mine");
  const given = environment({ PULUMI_CONFIG_PASSPHRASE_FILE: file });
  await assert.rejects(pulumiEnvironment("/bin", given), { id: "passphrase-file" });
  fs.writeFileSync(file, " \n");
  await assert.rejects(pulumiEnvironment("/bin", given), { id: "empty-passphrase" });
  fs.writeFileSync(file, "long enough\n");
  assert.equal((await pulumiEnvironment("/bin", given)).PULUMI_CONFIG_PASSPHRASE_FILE, undefined);
});

test("the backend's URL is the folder for every path, and a relative data folder becomes absolute", async () => {
  for (const folder of ["/a b/c", "/100%25 #1 ?/ü", "/plain"]) {
    const url = new URL(fileUrl(folder, "linux"));
    assert.deepEqual([decodeURIComponent(url.pathname), url.search, url.hash], [folder, "", ""]);
  }
  assert.equal(fileUrl("/home/ünï/x y", "linux"), "file:///home/ünï/x y");
  assert.equal(fileUrl("C:\\Users\\Ada L", "win32"), "file://C:/Users/Ada L");
  process.env.GROUNDPLANE_DATA = path.relative(process.cwd(), data);
  const variables = await pulumiEnvironment("/bin", environment({ GROUNDPLANE_DATA: process.env.GROUNDPLANE_DATA }));
  assert.equal(variables.GROUNDPLANE_DATA, data);
});

test("a logout selects the local backend", async () => {
  fs.writeFileSync(path.join(home, "credentials.json"), JSON.stringify({ current: "" }));
  assert.equal((await chooseBackend(environment())).kind, "local");
});

test("the user's own passphrase and parallelism are kept", async () => {
  const variables = await pulumiEnvironment(
    "/bin",
    environment({ PULUMI_CONFIG_PASSPHRASE: "x", PULUMI_PARALLEL: "3" }),
  );
  assert.equal(variables.PULUMI_CONFIG_PASSPHRASE_FILE, undefined);
  assert.equal(variables.PULUMI_PARALLEL, undefined);
});

test("shell exports survive hostile values and keep the shell's PATH", () => {
  assert.equal(
    formatShellExports({ PATH: "/a b/bin:/usr/bin", NAME: "it's $(id) `x`" }),
    `export PATH='/a b/bin':"$PATH"\nexport NAME='it'\\''s $(id) \`x\`'\n`,
  );
});
