/**
 * Writes the Go modules of new releases: run `npx tsx test/support/write-modules.ts` after a new row of model/releases.ts, on a host
 * with Go that reaches the module proxy. Parts whose version has a folder below image/parts/source stay as they are.
 */
import * as path from "node:path";
import { localHost } from "../../host/local-host";
import { goModuleFolder } from "../../image/image-files";
import { findGo, OLDEST_GO } from "../../image/parts/go-toolchain";
import { kubernetesRecipe, programsOf } from "../../image/recipes/kubernetes";
import type { ProgramsName, ProgramsRecipe } from "../../image/recipes/recipe";
import { kubernetesVersions } from "../../model/releases";

/** By part: the packages of its programs, each of which is or has the path of a module. */
const packages: Partial<Readonly<Record<ProgramsName, (recipe: ProgramsRecipe) => readonly string[]>>> = {
  kubernetes: ({ programs }) => programs.map((name) => `${kubernetes}/cmd/${name}`),
  etcd: () => ["go.etcd.io/etcd/etcdctl/v3", "go.etcd.io/etcd/server/v3"],
  etcdutl: () => ["go.etcd.io/etcd/etcdutl/v3"],
  coredns: () => ["github.com/coredns/coredns"],
};
const kubernetes = "k8s.io/kubernetes";

async function write(): Promise<void> {
  for (const recipe of kubernetesVersions.flatMap((version) => programsOf(kubernetesRecipe(version, "docker")))) {
    const folder = goModuleFolder(recipe.name, recipe.version);
    if (recipe.name === "pause" || (await localHost.files.exists(folder))) continue;
    const tools = packages[recipe.name]?.(recipe);
    if (tools) await writeModule(recipe, tools, folder);
    else console.log(`${recipe.name} ${recipe.version}: copy the folder of another version, and change its go.mod`);
  }
}

async function writeModule(recipe: ProgramsRecipe, tools: readonly string[], folder: string): Promise<void> {
  const work = await localHost.files.makeTemporaryFolder("groundplane-module-");
  try {
    const go = await findGo(localHost, work);
    const run = (...args: string[]): Promise<string> => go.run(args, { cwd: work, env: { GOFLAGS: "-mod=mod" } });
    const modules = [...new Set(tools.map((tool) => tool.replace(/^(k8s\.io\/kubernetes)\/.*/, "$1")))];
    const required = modules.map((module) => `\t${module} v${recipe.version}\n`).join("");
    const head = `module groundplane.internal/image/${recipe.name}\n\ngo ${OLDEST_GO}.0\n\n`;
    const blocks = `tool (\n${tools.map((tool) => `\t${tool}\n`).join("")})\n\nrequire (\n${required})\n`;
    const replaced = recipe.name === "kubernetes" ? await replacements(run, recipe.version) : "";
    await localHost.files.writeAtomic(path.join(work, "go.mod"), head + blocks + replaced);
    await run("mod", "tidy");
    await localHost.trees.createFolder(folder);
    for (const file of ["go.mod", "go.sum"])
      await localHost.trees.copyFile(path.join(work, file), path.join(folder, file), 0o644);
    console.log(`${recipe.name} ${recipe.version}: ${folder}`);
  } finally {
    await localHost.files.remove(work);
  }
}

/** Kubernetes takes its libraries from folders beside it. They are published as v0 with the same minor version and patch. */
async function replacements(run: (...args: string[]) => Promise<string>, version: string): Promise<string> {
  const { GoMod: file } = JSON.parse(await run("mod", "download", "-json", `${kubernetes}@v${version}`)) as {
    GoMod: string;
  };
  const text = (await localHost.files.readText(file)) ?? "";
  const names = [...text.matchAll(/^\t(\S+) => \.\/staging\//gm)].map(([, name = ""]) => name);
  const lines = names.map((name) => `\t${name} => ${name} v0.${version.replace(/^\d+\./, "")}\n`);
  return `\nreplace (\n${lines.join("")})\n`;
}

void write();
