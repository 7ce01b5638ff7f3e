import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
import { defaultKubernetesVersion } from "../../model/releases";
import { UserError } from "../../model/user-error";
import { goModuleFolder, pauseSourceFolder } from "../image-files";
import type { ProgramsRecipe } from "../recipes/recipe";
import { asStorageError, type BuildContext } from "../store/build-context";
import { type Edit, type GoBuild, goBuild } from "./go-builds";
import { findGo, type Go } from "./go-toolchain";
import type { PartSource } from "./part";
import { requireCompiler, seccompEnvironment } from "./seccomp-library";

/** Programs built from pinned Go modules. Needs Go, and a Go module proxy or a filled module cache. */
export const programSource = (host: Host): PartSource => ({
  name: "source",
  provides: (part) => part.kind === "programs",
  available: async (part) => {
    try {
      const go = await findGo(host, goModuleFolder("kubernetes", defaultKubernetesVersion));
      // Without a certain part in question the answer is about all of them.
      if (part?.kind !== "programs" || part.recipe.name === "runc") await requireCompiler(host);
      return { usable: true, reason: `programs can be built from their Go modules with Go ${go.version}` };
    } catch (error) {
      return { usable: false, reason: error instanceof UserError ? error.problem : String(error) };
    }
  },
  fetch: async (part, target, context) => {
    if (part.kind !== "programs") throw new Error("this source has programs only");
    return withWorkFolder(host, (work) => build(part.recipe, work, target, context));
  },
});

async function build(recipe: ProgramsRecipe, work: string, target: string, context: BuildContext): Promise<string> {
  const { host } = context;
  if (recipe.name === "pause") return buildPause(recipe, work, target, context);
  const plan = goBuild(recipe.name, recipe.version, recipe.programs);
  await host.trees.copyFolder(goModuleFolder(recipe.name, recipe.version), work);
  if (!plan) throw new Error(`there is no build for ${recipe.name}`);
  const go = await findGo(host, work);
  const phase = `${recipe.name} ${recipe.version}`;
  if (plan.mainFrom) await takeMain(host, go, plan.mainFrom, work);
  if (plan.changed) await changeModule(host, go, plan.changed, work);
  const env = plan.withSeccomp ? await seccompEnvironment(host, work, context.signal) : {};
  let done = 0;
  for (const [program, pkg] of Object.entries(plan.packages)) {
    const fraction = done++ / recipe.programs.length;
    context.progress({ phase, message: `building ${program} with Go ${go.version}`, fraction });
    await goBuildOne(go, plan, pkg, path.join(target, program), { cwd: work, env }, context);
  }
  return `built from Go modules with Go ${go.version}`;
}

/** One program at a time: the linker alone takes gigabytes of memory for Kubernetes. */
async function goBuildOne(
  go: Go,
  plan: GoBuild,
  pkg: string,
  output: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  context: BuildContext,
): Promise<void> {
  const tags = plan.tags ? ["-tags", plan.tags.join(",")] : [];
  try {
    await go.run(["build", "-trimpath", ...tags, "-ldflags", plan.linkerFlags, "-o", output, pkg], {
      ...options,
      signal: context.signal,
    });
  } catch (error) {
    throw asStorageError(error, `${context.host.facts.temporaryFolder} or Go's caches`);
  }
}

async function takeMain({ files }: Host, go: Go, from: NonNullable<GoBuild["mainFrom"]>, work: string): Promise<void> {
  const folder = await moduleFolder(go, from.module, work);
  const lines = ((await files.readText(path.join(folder, "main.go"))) ?? "").split("\n");
  await files.writeAtomic(path.join(work, "main.go"), lines.filter((line) => !from.without.test(line)).join("\n"));
}

/** Replaces a module by a changed copy of it; what is copied has the committed checksum. */
async function changeModule(
  host: Host,
  go: Go,
  { module, edits }: NonNullable<GoBuild["changed"]>,
  work: string,
): Promise<void> {
  const copy = path.join(work, "changed");
  await host.trees.copyFolder(await moduleFolder(go, module, work), copy);
  for (const edit of edits) {
    const file = path.join(copy, edit.file);
    await host.files.writeAtomic(file, applyEdit((await host.files.readText(file)) ?? "", edit));
  }
  await host.trees.copyFolder(path.join(work, "added"), copy);
  await go.run(["mod", "edit", `-replace=${module}=./changed`], { cwd: work });
}

/** sha256 over everything that a part's build changes in a module and adds to it; undefined when that is nothing. */
export async function changesDigest(
  host: Host,
  { name, version, programs }: ProgramsRecipe,
): Promise<string | undefined> {
  const changed = goBuild(name, version, programs)?.changed;
  if (!changed) return undefined;
  const hash = createHash("sha256").update(JSON.stringify(changed.edits));
  const folder = goModuleFolder(name, version);
  for (const file of (await host.files.filesBelow(folder)).filter((each) => each.endsWith(".go")).sort())
    hash.update(JSON.stringify([file, await host.files.readText(path.join(folder, file))]));
  return hash.digest("hex");
}

/** @throws Error when the text is not found as often as the edit states: the module has another version */
export function applyEdit(text: string, { file, from, to, times = 1 }: Edit): string {
  const pieces = text.split(from);
  if (pieces.length !== times + 1) {
    throw new Error(`${file} contains ${JSON.stringify(from)} ${pieces.length - 1} times instead of ${times}`);
  }
  return pieces.join(to);
}

async function moduleFolder(go: Go, module: string, work: string): Promise<string> {
  await go.run(["mod", "download", module], { cwd: work });
  return (await go.run(["list", "-m", "-f", "{{.Dir}}", module], { cwd: work })).trim();
}

/** Built from C where there is a compiler: it runs once per pod, and needs a fortieth of the memory of a Go program. */
async function buildPause(
  recipe: ProgramsRecipe,
  work: string,
  target: string,
  context: BuildContext,
): Promise<string> {
  const { host } = context;
  await host.trees.copyFolder(pauseSourceFolder, work);
  const output = path.join(target, "pause");
  context.progress({ phase: `pause ${recipe.version}`, message: "building pause" });
  try {
    await host.run(["cc", "-Os", "-static", "-s", `-DVERSION="${recipe.version}"`, "-o", output, "pause.c"], {
      cwd: work,
    });
    return "built from its C source";
  } catch {
    // There is no compiler, or it cannot link statically.
    await host.files.remove(output);
  }
  const go = await findGo(host, work);
  await go.run(["build", "-trimpath", "-ldflags", `-s -w -X main.version=${recipe.version}`, "-o", output, "."], {
    cwd: work,
  });
  return `built from its Go source with Go ${go.version}`;
}

async function withWorkFolder<T>({ files }: Host, action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await files.makeTemporaryFolder("groundplane-build-");
  try {
    return await action(folder);
  } finally {
    await files.remove(folder);
  }
}
