// The image builder on a host in memory.
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { buildRootTree } from "../../../image/build/root-tree";
import { ensureImages } from "../../../image/build-images";
import type { BuildTask } from "../../../image/build-in-namespace";
import { layerFilesFolder } from "../../../image/image-files";
import type { PartSource } from "../../../image/parts/part";
import { containerLayer } from "../../../image/recipes/container-layer";
import { imageName } from "../../../image/recipes/image-names";
import { replaceFolder } from "../../../image/store/replace-folder";
import type { CommandOptions, CommandResult } from "../../../model/commands";
import type { Host } from "../../../model/host";
import { UserError } from "../../../model/user-error";
import { type HostScript, RecordingHost } from "../../support/recording-host";
import { smallDiskRecipe, smallRecipe } from "../../support/small-image";

/** A host with the files that the small image's layers consist of. */
function hostWithLayers(script: HostScript = {}): RecordingHost {
  const files: Record<string, string> = {};
  const programs: string[] = [];
  const folder = layerFilesFolder("container");
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files[file] = fs.readFileSync(file, "utf8");
    if (fs.statSync(file).mode & 0o100) programs.push(file);
  }
  const host = new RecordingHost({ ...script, files });
  for (const file of programs) host.memory.setMode(file, 0o755);
  return host;
}

function treeSource(): PartSource & { fetches: number } {
  const source = {
    name: "test",
    fetches: 0,
    provides: () => true,
    available: async () => ({ usable: true, reason: "always there" }),
    fetch: async (_part: unknown, target: string, { host }: Parameters<PartSource["fetch"]>[2]) => {
      source.fetches++;
      await host.trees.createFolder(path.join(target, "usr/bin"));
      await host.files.writeAtomic(path.join(target, "usr/bin/tool"), "tool", 0o755);
      await host.trees.link("usr/bin", path.join(target, "bin"));
      return "a test";
    },
  };
  return source;
}

test("an image is sealed from its parts without a command, and rebuilt when a part has changed", async () => {
  const host = hostWithLayers();
  const source = treeSource();
  const build = () => ensureImages(host, { recipes: [smallRecipe], sources: [source], verify: true });
  const [record] = await build();
  const folder = path.join("/data/images", imageName(smallRecipe));
  assert.deepEqual(await host.files.readJson(path.join(folder, "image.json")), record);
  assert.deepEqual(record?.createdFrom, { base: "a test" });
  const base = await host.trees.entry(path.join(folder, "layers/base"));
  assert.match(base?.target ?? "", /^\.\.\/\.\.\/\.\.\/parts\/base-[0-9a-f]{12}\/content$/);
  const container = (await host.trees.entry(path.join(folder, "layers/container")))?.target ?? "";
  const unit = path.join(folder, "layers", container, "etc/systemd/system/getty.target");
  assert.equal((await host.trees.entry(unit))?.target, "/dev/null", "masked");

  assert.equal((await build())[0]?.digest, record?.digest);
  assert.equal(source.fetches, 1);
  await host.files.writeAtomic(path.join(folder, "layers", base?.target ?? "", "usr/bin/tool"), "evil", 0o755);
  assert.equal((await build())[0]?.digest, record?.digest);
  assert.equal(source.fetches, 2);
  assert.deepEqual(host.log, []);
  assert.ok(!host.memory.names().some((name) => /partial|discarded/.test(name)));
});

const mountList = "/proc/self/mountinfo";
const mounts = (...mountPoints: readonly string[]): string =>
  mountPoints
    .map((mountPoint, id) => `${id} 1 0:${id} / ${mountPoint} rw,relatime shared:1 - tmpfs tmpfs rw\n`)
    .join("");

/** Builds a folder where a killed build left mounts. */
async function replaceWithMounts(commands: HostScript["commands"] = []) {
  const files = { [mountList]: mounts("/", "/data/p.partial/proc", "/data/p.partial/dev/shm", "/data/p.partial-not") };
  const host = new RecordingHost({ files: { ...files, "/data/p.partial/dev/shm/of-this-host": "" }, commands });
  const context = { host, progress: () => {} };
  const fill = (partial: string) => host.files.writeAtomic(path.join(partial, "made"), "");
  const error: unknown = await replaceFolder("/data/p", "part", "", context, fill).catch((failure) => failure);
  return { host, error };
}

test("the mounts that a killed build left are ended before its folder is removed, the last one first", async () => {
  const left = ["/data/p.partial/proc", "/data/p.partial/dev/shm"];
  const unmount = (index: number) => ({
    argv: ["umount", left[index] ?? ""],
    effect: ({ memory }: RecordingHost) => memory.writeInPlace(mountList, mounts("/", ...left.slice(0, index))),
  });
  const { host, error } = await replaceWithMounts([unmount(1), unmount(0)]);
  assert.equal(error, undefined);
  assert.deepEqual(host.log, ["umount /data/p.partial/dev/shm", "umount /data/p.partial/proc"]);
  assert.deepEqual(await host.files.filesBelow("/data/p"), ["made"]);
});

test("a folder with mounts that cannot be ended is never removed", async () => {
  const busy = await replaceWithMounts([{ argv: ["umount", "/data/p.partial/dev/shm"], exitCode: 32, stderr: "busy" }]);
  assert.match(String(busy.error), /umount failed with exit code 32:\n {2}busy/);
  const ineffective = ["proc", "dev/shm"].map((name) => ({ argv: ["umount", `/data/p.partial/${name}`] }));
  const still = await replaceWithMounts(ineffective);
  assert.ok(still.error instanceof UserError && still.error.id === "mount-below");
  assert.match(still.error.hint, /umount '\/data\/p\.partial\/dev\/shm' && umount '\/data\/p\.partial\/proc'/);
  for (const { host } of [busy, still]) assert.ok(await host.files.exists("/data/p.partial/dev/shm/of-this-host"));
});

const builder = ["namespace-root", "/usr/bin/node", "/groundplane/dist/image-builder.js"];
const ordinary = { uid: 1000, userName: "user", homeFolder: "/home/user" };

test("an ordinary user builds in a process that is root of a user namespace", async () => {
  const messages = [{ progress: { phase: "root tree", message: "downloading" } }, { result: ["record"] }];
  const stdout = messages.map((message) => `${JSON.stringify(message)}\n`).join("");
  const environments: unknown[] = [];
  const effect = (_host: RecordingHost, { env }: { readonly env?: unknown }) => void environments.push(env);
  const host = new RecordingHost({ facts: ordinary, commands: [{ argv: builder, stdout, effect }] });
  const phases: string[] = [];
  const records = await ensureImages(host, {
    recipes: [smallRecipe],
    verify: true,
    progress: ({ phase }) => phases.push(phase),
  });
  assert.deepEqual(records, ["record"]);
  assert.deepEqual(phases, ["root tree"]);
  assert.deepEqual(environments, [{ HOME: "/home/user" }]);
  const task: BuildTask = { kind: "images", recipes: [smallRecipe], verify: true };
  assert.deepEqual(
    host.inputs.map((input) => JSON.parse(input)),
    [JSON.parse(JSON.stringify(task))],
  );
});

test("the failure of that process is the failure of the build", async () => {
  const failure = { id: "network", problem: "the mirror cannot be reached", hint: "try again" };
  const stdout = `${JSON.stringify({ failure })}\n`;
  const host = new RecordingHost({ facts: ordinary, commands: [{ argv: builder, stdout, exitCode: 1 }] });
  await assert.rejects(ensureImages(host, { recipes: [smallRecipe] }), (error) => {
    return error instanceof UserError && error.id === "network" && error.problem === failure.problem;
  });
});

test("a host other than Linux uses finished disks, and reports when it has none", async () => {
  const host = new RecordingHost({ facts: { platform: "darwin" } });
  const nothing: PartSource = { ...treeSource(), available: async () => ({ usable: false, reason: "empty" }) };
  await assert.rejects(ensureImages(host, { recipes: [smallDiskRecipe], sources: [nothing] }), (error) => {
    return error instanceof UserError && error.id === "image-needs-linux" && /bundle load/.test(error.hint);
  });
  const disks: PartSource = {
    ...treeSource(),
    fetch: async (_part, target) => {
      await host.files.writeAtomic(path.join(target, "disk.raw"), "disk");
      return "a bundle";
    },
  };
  const [record] = await ensureImages(host, { recipes: [smallDiskRecipe], sources: [disks] });
  assert.deepEqual(record?.createdFrom, { disk: "a bundle" });
  assert.deepEqual(await host.files.list(path.join("/data/images", record?.name ?? "")), ["disk.raw", "image.json"]);
});

test("the password of a mirror is neither an argument nor in the tree nor in its record", async () => {
  const host = hostWithLayers();
  await host.files.writeAtomic("/etc/apt/sources.list", "deb http://me:s3cret@mirror.example/debian trixie main\n");
  const commands: string[] = [];
  const run = async (argv: readonly string[], { stdin = "" }: CommandOptions = {}): Promise<CommandResult> => {
    commands.push(argv.join(" "));
    if (argv[0] === "mmdebstrap") await host.files.writeAtomic("/tree/etc/apt/sources.list", String(stdin));
    return { stdout: "", stderr: "", exitCode: 0 };
  };
  const own: Host = Object.create(host, { run: { value: run } });
  const origin = await buildRootTree({ ...smallRecipe.rootTree, layer: containerLayer }, "/tree", {
    host: own,
    progress: () => {},
  });
  const list = (await host.files.readText("/tree/etc/apt/sources.list")) ?? "";
  assert.match(list, /^deb http:\/\/mirror\.example\/debian /);
  assert.match(origin, /mirror\.example/);
  assert.doesNotMatch([...commands, list, origin].join("\n"), /s3cret/);
});
