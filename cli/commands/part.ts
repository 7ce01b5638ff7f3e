import * as path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { localHost } from "../../host/local-host";
import { type AddedFile, addPartFile } from "../../image/parts/add-part-file";
import { print, printJson } from "../print";

interface PartOptions {
  readonly digest?: string;
  readonly version?: string;
  readonly json?: boolean;
}

export function partCommand(): Command {
  return new Command("part").description("manage the programs that images are built from").addCommand(addCommand());
}

function addCommand(): Command {
  return new Command("add")
    .description("add a file of a program's release, for a host that can neither download nor build the program")
    .argument("<file>", "called as in the release, e.g. cri-dockerd-VERSION.amd64.tgz")
    .option(
      "--digest <sha256>",
      "the digest that the program's project publishes; needed where model/pinned-downloads.json has none",
      parseDigest,
    )
    .option("--version <version>", "the program's version, where the file is one of several versions")
    .option("--json", "print JSON")
    .action(async (file: string, { json, ...options }: PartOptions) => {
      const added = await addPartFile(localHost, path.resolve(file), options);
      if (json) printJson(added);
      else print(renderAdded(added));
    });
}

function parseDigest(text: string): string {
  if (!/^(?:sha256:)?[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError("It must be 64 hex digits.");
  return text;
}

function renderAdded({ part, version, file, sha256, present, missing }: AddedFile): string {
  const added = `${part} ${version}: ${file} ${present ? "was added before" : "is added"}, sha256:${sha256}`;
  return missing.length === 0
    ? `${added}\nImages that lack it are built with it.`
    : `${added}\nThe part is complete with ${missing.join(", ")}.`;
}
