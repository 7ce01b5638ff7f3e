import * as path from "node:path";
import type { Host } from "../../model/host";
import { defaultKubernetesVersion } from "../../model/releases";
import { UserError } from "../../model/user-error";
import { goModuleFolder, pauseSourceFolder } from "../image-files";
import type { ProgramsName, ProgramsRecipe } from "../recipes/recipe";
import { asStorageError, type BuildContext } from "../store/build-context";
import { findGo, type Go } from "./go-toolchain";
import type { PartSource } from "./part";

/** Programs built from pinned Go modules. Needs Go, and a Go module proxy or a filled module cache. */
export const programSource = (host: Host): PartSource => ({
  name: "source",
  provides: (part) => part.kind === "programs",
  available: async () => {
    try {
      const go = await findGo(host, goModuleFolder("kubernetes", defaultKubernetesVersion));
      return { usable: true, reason: `programs can be built with Go ${go.version}` };
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
  let done = 0;
  for (const [program, pkg] of Object.entries(plan.packages)) {
    const fraction = done++ / recipe.programs.length;
    context.progress({ phase, message: `building ${program} with Go ${go.version}`, fraction });
    await goBuildOne(go, plan, pkg, path.join(target, program), work, context);
  }
  return `built from Go modules with Go ${go.version}`;
}

/** One program at a time: the linker alone takes gigabytes of memory for Kubernetes. */
async function goBuildOne(
  go: Go,
  plan: GoBuild,
  pkg: string,
  output: string,
  cwd: string,
  context: BuildContext,
): Promise<void> {
  try {
    await go.run(["build", "-trimpath", "-ldflags", plan.linkerFlags, "-o", output, pkg], {
      cwd,
      signal: context.signal,
    });
  } catch (error) {
    throw asStorageError(error, `${context.host.facts.temporaryFolder} or Go's caches`);
  }
}

async function takeMain({ files }: Host, go: Go, from: NonNullable<GoBuild["mainFrom"]>, work: string): Promise<void> {
  await go.run(["mod", "download", from.module], { cwd: work });
  const folder = (await go.run(["list", "-m", "-f", "{{.Dir}}", from.module], { cwd: work })).trim();
  const lines = ((await files.readText(path.join(folder, "main.go"))) ?? "").split("\n");
  await files.writeAtomic(path.join(work, "main.go"), lines.filter((line) => !from.without.test(line)).join("\n"));
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

/** How the programs of a part are built from its Go module in image/parts/source. */
export interface GoBuild {
  /** By program: the package that it is built from. `.` is the module's own main package. */
  readonly packages: Readonly<Record<string, string>>;
  readonly linkerFlags: string;
  /** The module's main package is the main.go of another module without these lines. */
  readonly mainFrom?: { readonly module: string; readonly without: RegExp };
}

const SMALL = "-s -w";

/** @param version without `v` */
export function goBuild(part: ProgramsName, version: string, programs: readonly string[]): GoBuild | undefined {
  switch (part) {
    case "kubernetes":
      return {
        packages: Object.fromEntries(programs.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`])),
        linkerFlags: `${SMALL} ${kubernetesVersionFlags(version)}`,
      };
    case "etcd":
      return {
        packages: { etcd: "go.etcd.io/etcd/server/v3", etcdctl: "go.etcd.io/etcd/etcdctl/v3" },
        linkerFlags: SMALL,
      };
    case "coredns":
      return { packages: { coredns: "github.com/coredns/coredns" }, linkerFlags: SMALL };
    case "flannel":
      return {
        packages: { flanneld: "." },
        linkerFlags: `${SMALL} -X github.com/flannel-io/flannel/pkg/version.Version=v${version}`,
        mainFrom: {
          module: "github.com/flannel-io/flannel",
          // Back ends for clouds and tunnels that are not used here; one needs a module that proxies do not serve.
          without: /backend\/(tencentvpc|udp|ipsec|wireguard)"/,
        },
      };
    case "local-path-provisioner":
      return {
        packages: { "local-path-provisioner": "github.com/rancher/local-path-provisioner" },
        linkerFlags: `${SMALL} -X main.VERSION=v${version}`,
      };
    default:
      return undefined;
  }
}

/** Without these flags a program reports version v0.0.0, and kubeadm refuses it. */
function kubernetesVersionFlags(version: string): string {
  const [major, minor] = version.split(".");
  const fields = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  return Object.entries(fields)
    .map(([field, value]) => `-X k8s.io/component-base/version.${field}=${value}`)
    .join(" ");
}
