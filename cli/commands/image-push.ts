import type { Command } from "commander";
import { administratorIn } from "../../guests/administrator";
import { imageRegistry } from "../../guests/image-registry";
import { interruptibly } from "../../host/interruption";
import { localHost } from "../../host/local-host";
import { pushImage } from "../../image/push/push-image";
import { type ArchivedImage, readArchive } from "../../image/push/read-archive";
import { type ImageTarget, parseTarget, UnavailableRegistryError, withoutRegistry } from "../../model/image-registry";
import { registryName } from "../../model/releases";
import { UserError } from "../../model/user-error";
import { readOutputs } from "../lost-state";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, sayNews } from "../print";
import { readConfiguration } from "../project";

interface PushCommandOptions extends ReportOptions {
  readonly as?: string;
}

export function pushCommand(): Command {
  return reportCommand("push <archive>", "push a container image from an archive to the stack's registry")
    .option("--as <name>", "name and tag in the registry, e.g. app:2 (default: those of the archive)")
    .addHelpText(
      "after",
      `\nThe archive is a file of \`docker save\` or an OCI layout as a tar file. Manifests name the image ${registryName}/NAME:TAG.`,
    )
    .action(async (archive: string, { stack, as, json }: PushCommandOptions) => {
      const port = await portOfRegistry(stack);
      const given = as === undefined ? undefined : targetOf(as, "--as");
      const pushed = await interruptibly(stack, async (signal) => {
        const image = await readArchive(localHost, archive);
        const target = given ?? nameIn(image, archive);
        const { kubeconfig } = await readOutputs(stack);
        const certificateAuthority = String(administratorIn(kubeconfig).ca);
        const registry = imageRegistry({ port, certificateAuthority, signal });
        const context = { progress: sayNews(), signal };
        try {
          const done = await pushImage(localHost, { file: archive, image }, target, registry, context);
          return { name: `${registryName}/${target.repository}:${target.tag}`, ...done };
        } catch (error) {
          throw error instanceof UnavailableRegistryError ? unavailable(error) : error;
        } finally {
          registry.close();
        }
      });
      const { name, digest, sent, isPresent } = pushed;
      if (json) printJson(pushed);
      else print(`${name}@${digest}\n${isPresent ? "It was there already." : `Sent ${sent} of its blobs.`}`);
    });
}

/** @throws UserError `no-registry` */
async function portOfRegistry(stack: string): Promise<number> {
  const { addons, hostPorts } = await readConfiguration(stack);
  if (!addons.registry)
    throw new UserError(
      "no-registry",
      `the stack ${stack} has no registry`,
      "set addons: {registry: true} and hostPorts: {registry: 5000} in its file, and run `npx groundplane start`",
    );
  if (hostPorts.registry !== undefined) return hostPorts.registry;
  throw new UserError(
    "no-registry",
    `this host does not reach the registry of ${stack}: it has no port`,
    "set hostPorts: {registry: 5000} in its file, and run `npx groundplane start`",
  );
}

function nameIn({ names }: ArchivedImage, archive: string): ImageTarget {
  const [name] = names;
  if (name !== undefined) return targetOf(withoutRegistry(name), `the name in ${archive}`);
  throw new UserError("image-name", `${archive} has no name of its image`, "name it: `--as NAME:TAG`");
}

function targetOf(text: string, what: string): ImageTarget {
  const target = parseTarget(text);
  if (target) return target;
  throw new UserError(
    "image-name",
    `${what} is ${JSON.stringify(text)}, which is no name of an image in a registry`,
    "use lower-case letters and digits, with `/`, `.`, `_` and `-` between them, and a tag, e.g. `--as team/app:2`",
  );
}

const unavailable = (error: Error): UserError =>
  new UserError(
    "registry-unavailable",
    error.message,
    "`npx groundplane status` shows the row registry; then push again: what the registry has is not sent again",
  );
