import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { changeKubeconfig, fileForNewContext, kubeconfigFiles } from "../../../host/kubeconfig-file";
import { UserError } from "../../../model/user-error";

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const modeOf = (file: string): number => fs.statSync(file).mode & 0o777;
const read = (file: string): string => fs.readFileSync(file, "utf8");

test("kubectl's files are those of KUBECONFIG, else the one in the home folder; never one of groundplane", async () => {
  const standard = path.join(folder, ".kube", "config");
  const filesOf = (KUBECONFIG?: string) => kubeconfigFiles({ HOME: folder, KUBECONFIG });
  assert.deepEqual(filesOf(), [standard]);
  assert.deepEqual(filesOf(""), [standard]);
  const former = process.env.GROUNDPLANE_DATA;
  process.env.GROUNDPLANE_DATA = path.join(folder, "data");
  try {
    assert.deepEqual(filesOf(path.join(folder, "data", "stacks", "lab", "kubeconfig")), [standard]);
  } finally {
    if (former === undefined) delete process.env.GROUNDPLANE_DATA;
    else process.env.GROUNDPLANE_DATA = former;
  }
  const [one, two] = [path.join(folder, "one"), path.join(folder, "two")];
  assert.deepEqual(filesOf(`${one}::${two}`), [one, two]);
  assert.equal(await fileForNewContext([one, two]), two);
  fs.writeFileSync(one, "");
  assert.equal(await fileForNewContext([one, two]), one);
});

test("a new kubeconfig is closed to others, and so is a changed one and its copy", async () => {
  const file = path.join(folder, ".kube", "config");
  assert.deepEqual(await changeKubeconfig(file, () => "a\n"), { file, isChanged: true });
  assert.deepEqual([modeOf(path.dirname(file)), modeOf(file)], [0o700, 0o600]);
  fs.chmodSync(file, 0o644);
  const backup = `${file}.before-groundplane`;
  assert.deepEqual(await changeKubeconfig(file, (text) => `${text}b\n`), { file, isChanged: true, backup });
  assert.deepEqual([read(file), read(backup)], ["a\nb\n", "a\n"]);
  assert.deepEqual([modeOf(file), modeOf(backup)], [0o600, 0o600]);
  assert.deepEqual(await changeKubeconfig(file, (text) => text), { file, isChanged: false });
  assert.deepEqual(fs.readdirSync(path.dirname(file)).sort(), ["config", "config.before-groundplane"]);
});

test("a symbolic link stays one, and a change that fails changes nothing", async () => {
  const [file, link] = [path.join(folder, "real"), path.join(folder, "link")];
  fs.writeFileSync(file, "a\n");
  fs.symlinkSync(file, link);
  await changeKubeconfig(link, () => "b\n");
  assert.ok(fs.lstatSync(link).isSymbolicLink());
  assert.equal(read(file), "b\n");
  const failing = changeKubeconfig(link, () => {
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  assert.equal(read(file), "b\n");
  assert.ok(!fs.existsSync(`${file}.lock`));
});

test("while kubectl changes the file, nothing else does", async () => {
  const file = path.join(folder, "config");
  fs.writeFileSync(`${file}.lock`, "");
  const isLocked = (error: unknown) => error instanceof UserError && error.id === "kubeconfig-locked";
  await assert.rejects(
    changeKubeconfig(file, () => "b\n"),
    isLocked,
  );
  assert.ok(fs.existsSync(`${file}.lock`));
});
