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

test("an earlier copy stays, and there is none of what must not be kept", async () => {
  const file = path.join(folder, "config");
  fs.writeFileSync(file, "a\n");
  const copyAfter = async (text: string, isKept?: () => boolean) =>
    (await changeKubeconfig(file, () => text, isKept)).backup;
  assert.equal(await copyAfter("b\n"), `${file}.before-groundplane`);
  assert.equal(await copyAfter("a\n"), `${file}.before-groundplane-2`);
  assert.equal(await copyAfter("c\n"), `${file}.before-groundplane`, "it has this text already");
  assert.equal(await copyAfter("d\n", () => false), undefined);
  assert.deepEqual([read(`${file}.before-groundplane`), read(`${file}.before-groundplane-2`)], ["a\n", "b\n"]);
});

test("a new file in the home of another user belongs to that user, elsewhere to root", {
  skip: process.getuid?.() === 0 ? false : "needs root",
}, async (t) => {
  const home = path.join(folder, "home");
  fs.mkdirSync(home);
  fs.chownSync(home, 4321, 4321);
  const former = process.env.HOME;
  t.after(() => Object.assign(process.env, { HOME: former }));
  process.env.HOME = home;
  const [inside, outside] = [path.join(home, ".kube", "config"), path.join(folder, "config")];
  for (const file of [inside, outside]) await changeKubeconfig(file, () => "a\n");
  const owners = [path.dirname(inside), inside, outside].map((file) => fs.statSync(file).uid);
  assert.deepEqual(owners, [4321, 4321, 0]);
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

test("a link whose target is missing is refused and stays; the lock is that of the link, as kubectl has it", async () => {
  const [file, link] = [path.join(folder, "real"), path.join(folder, "link")];
  fs.symlinkSync(file, link);
  const fails = (id: string) => (error: unknown) => error instanceof UserError && error.id === id;
  const change = () => changeKubeconfig(link, () => "b\n");
  await assert.rejects(change(), fails("kubeconfig-dangling"));
  assert.ok(fs.lstatSync(link).isSymbolicLink() && !fs.existsSync(file));
  fs.writeFileSync(file, "a\n");
  fs.writeFileSync(`${link}.lock`, "");
  await assert.rejects(change(), fails("kubeconfig-locked"));
  assert.equal(read(file), "a\n");
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
