import * as path from "node:path";
import { Command, Option } from "commander";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { readPackageLock } from "../../host/package-lock-file";
import { addOnRecipesOf } from "../../image/build-add-ons";
import { createBundle } from "../../image/parts/bundle";
import type { BundleManifest } from "../../image/parts/bundle-manifest";
import { bundleFolder } from "../../image/parts/bundle-source";
import { type BundleTrust, bundleDigest, manifestText } from "../../image/parts/bundle-trust";
import { loadBundle } from "../../image/parts/load-bundle";
import { imageRecipes } from "../../image/recipes/image-names";
import {
  type ContainerRuntimeName,
  containerRuntimeNames,
  defaultContainerRuntime,
} from "../../model/container-runtimes";
import type { ImageForm } from "../../model/drivers";
import type { Host } from "../../model/host";
import { packageLockText } from "../../model/package-lock";
import { defaultKubernetesVersion, kubernetesVersions } from "../../model/releases";
import { parseStackName } from "../options";
import { placeLocks } from "../place-locks";
import { print, printJson, say, sayNews, table } from "../print";
import { readConfiguration } from "../project";

interface BundleOptions extends BundleTrust {
  readonly json?: boolean;
  /** Only for `create`. */
  readonly form?: ImageForm;
  /** Only for `create`. */
  readonly runtime?: ContainerRuntimeName;
  /** Only for `create`. */
  readonly kubernetes?: readonly string[];
  readonly sign?: string;
  /** Only for `create`. */
  readonly stack?: string;
}

export function bundleCommand(): Command {
  return new Command("bundle")
    .description("pack everything that images are built from into one file, for hosts without a network")
    .addCommand(
      partCommand("create", "fetch or build all parts, verify them and write them into the file", createBundleOf)
        .addOption(
          new Option("--form <form>", "parts of trees for system containers, or finished disks for virtual machines")
            .choices(["tree", "disk"] satisfies ImageForm[])
            .default("tree" satisfies ImageForm),
        )
        .addOption(
          new Option("--runtime <runtime>", "parts for nodes with this runtime of containers, as options.runtime")
            .choices(containerRuntimeNames)
            .default(defaultContainerRuntime),
        )
        .addOption(
          new Option("--kubernetes <version...>", "the releases whose images are included, as kubernetesVersion")
            .choices(kubernetesVersions)
            .default([defaultKubernetesVersion]),
        )
        .addOption(
          new Option("--stack <name>", "the images and add-ons of this stack, with its distribution and package lock")
            .argParser(parseStackName)
            .conflicts(["runtime", "kubernetes"]),
        )
        .option("--sign <key-file>", "sign the file with the Ed25519 private key in this file (PEM)"),
    )
    .addCommand(
      partCommand("load", "verify the file and use its parts to build images", loadWithLocks)
        .option(
          "--digest <sha256>",
          "refuse the file unless `bundle create` printed this digest for it; `sha256sum` prints another one",
        )
        .option(
          "--key <key-file>",
          "refuse the file unless its signature matches the Ed25519 public key in this file (PEM)",
        ),
    );
}

type WorkOnBundle = (
  host: Host,
  file: string,
  options: NonNullable<Parameters<typeof loadBundle>[2]> &
    Pick<BundleOptions, "form" | "runtime" | "kubernetes" | "sign" | "stack">,
) => Promise<BundleManifest>;

/** A stack's name selects what the other options select for images without a lock. */
const createBundleOf: WorkOnBundle = async (host, file, { stack, ...options }) => {
  if (stack === undefined) return createBundle(host, file, options);
  const configuration = await readConfiguration(stack);
  const { kubernetesVersion, distribution, options: chosen } = configuration;
  const { form = "tree", sign, signal, progress } = options;
  const lock = await readPackageLock(stack);
  const recipes = imageRecipes(kubernetesVersion, form, distribution, chosen.runtime, lock);
  const packageLocks = lock && { [stack]: packageLockText(lock) };
  const programs = addOnRecipesOf(configuration).map((recipe) => recipe.programs);
  return createBundle(host, file, { recipes, programs, packageLocks, sign, signal, progress });
};

const loadWithLocks: WorkOnBundle = async (host, file, options) => {
  const manifest = await loadBundle(host, file, options);
  for (const text of await placeLocks(manifest, bundleFolder(host))) say(text);
  return manifest;
};

function partCommand(name: string, description: string, work: WorkOnBundle): Command {
  return new Command(name)
    .description(description)
    .argument("<file>", "a tar file, compressed if it ends with .gz or .tgz")
    .option("--json", "print JSON")
    .action(async (file: string, { json, ...options }: BundleOptions) => {
      const whole = path.resolve(file);
      const manifest = await interruptibly("the bundle", (signal) =>
        work(localHost, whole, { ...options, signal, progress: sayNews() }),
      );
      const digest = bundleDigest(manifestText(manifest));
      if (json) printJson({ ...manifest, digest });
      else print(`${renderManifest(manifest)}\n\ndigest: sha256:${digest}`);
    });
}

function renderManifest({ parts }: BundleManifest): string {
  const sizeOf = (files: BundleManifest["parts"][number]["files"]): string =>
    `${(files.reduce((sum, { size }) => sum + size, 0) / 2 ** 20).toFixed(0)} MiB`;
  return table([["PART", "SIZE", "FROM"], ...parts.map(({ name, files, origin }) => [name, sizeOf(files), origin])]);
}
