import * as path from "node:path";
import { Command } from "commander";
import { dataFolder } from "../../host/data-folder";
import { currentUser, findForeignFile } from "../../host/file-access";
import { interruptibly } from "../../host/interruption";
import { UserError } from "../../model/user-error";
import { formatBytes, print, printJson, say, table } from "../print";
import { type PruneReport, prune } from "../prune";
import { pruneAreas } from "../prune-areas";

interface PruneCommandOptions {
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function pruneCommand(): Command {
  return new Command("prune")
    .description("list images, parts, tools and plugins in the data folder that nothing uses; --yes removes them")
    .option("-y, --yes", "remove what is listed as unused")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nStates, data disks, machines, complete snapshots, the passphrase, loaded bundles and added files always stay. So does what another process" +
        "\nlocks. What is removed is built or downloaded again when it is needed.",
    )
    .action(async ({ yes = false, json }: PruneCommandOptions) => {
      await refuseForeignFolder();
      const report = await interruptibly("prune", async (signal) =>
        prune(await pruneAreas(), { remove: yes, signal, say }),
      );
      if (json) printJson(report);
      else print(renderReport(report, dataFolder()));
    });
}

/** Root may remove everything, also what another user's stacks use. */
async function refuseForeignFolder(): Promise<void> {
  const foreign = await findForeignFile([dataFolder()]);
  if (foreign?.file !== dataFolder()) return;
  throw new UserError(
    "other-user",
    `${foreign.file} belongs to ${foreign.owner}, and this command runs as ${currentUser()}`,
    `run the command as ${foreign.owner}`,
  );
}

export function renderReport({ removed, unused, kept, leftAlone, bytes }: PruneReport, folder: string): string {
  const inFolder = (file: string): string => path.relative(folder, file) || file;
  const total = `${unused.length} of ${unused.length + kept.length}, total ${formatBytes(bytes)}`;
  const sections = [
    ["KEPT", "PATH", "USED BY"],
    ...kept.map((each) => [each.kind, inFolder(each.path), [...new Set(each.users)].join(", ")]),
  ];
  const rows = unused.map((each) => [each.kind, formatBytes(each.bytes), inFolder(each.path), each.reason]);
  return [
    ...(kept.length > 0 ? [table(sections)] : []),
    ...(leftAlone.length > 0
      ? [table([["LEFT ALONE", "REASON"], ...leftAlone.map((each) => [inFolder(each.path), each.reason])])]
      : []),
    ...(rows.length > 0 ? [table([[removed ? "REMOVED" : "UNUSED", "SIZE", "PATH", "REASON"], ...rows])] : []),
    unused.length === 0
      ? "nothing is unused; no changes"
      : removed
        ? `removed ${total}`
        : `${total} can be removed; \`npx groundplane prune --yes\` removes it`,
  ].join("\n\n");
}
