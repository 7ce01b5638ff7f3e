import * as path from "node:path";
import { Command, Option } from "commander";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { createBundle } from "../../image/parts/bundle";
import type { BundleManifest } from "../../image/parts/bundle-manifest";
import { type BundleTrust, bundleDigest, manifestText } from "../../image/parts/bundle-trust";
import { loadBundle } from "../../image/parts/load-bundle";
import {
  type ContainerRuntimeName,
  containerRuntimeNames,
  defaultContainerRuntime,
} from "../../model/container-runtimes";
import type { ImageForm } from "../../model/drivers";
import type { Host } from "../../model/host";
import { defaultKubernetesVersion, kubernetesVersions } from "../../model/releases";
import { print, printJson, sayNews, table } from "../print";

interface BundleOptions extends BundleTrust {
  readonly json?: boolean;
  /** Only for `create`. */
  readonly form?: ImageForm;
  /** Only for `create`. */
  readonly runtime?: ContainerRuntimeName;
  /** Only for `create`. */
  readonly kubernetes?: readonly string[];
  readonly sign?: string;
}

export function bundleCommand(): Command {
  return new Command("bundle")
    .description("pack everything that images are built from into one file, for hosts without a network")
    .addCommand(
      partCommand("create", "fetch or build all parts, verify them and write them into the file", createBundle)
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
        .option("--sign <key-file>", "sign the file with the Ed25519 private key in this file (PEM)"),
    )
    .addCommand(
      partCommand("load", "verify the file and use its parts to build images", loadBundle)
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
    Pick<BundleOptions, "form" | "runtime" | "kubernetes" | "sign">,
) => Promise<BundleManifest>;

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
