import * as path from "node:path";
import type { Command } from "commander";
import { stackFolder } from "../../host/data-folder";
import { exists, writeFileAtomic } from "../../host/file-store";
import { projectFolder, stackFile } from "../../host/project-folder";
import { UserError } from "../../model/user-error";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, say } from "../print";
import { packArchive } from "../report/archive";
import { type CollectedReport, collect } from "../report/collect";
import { learnPrivateWords } from "../report/private-words";
import { redactor } from "../report/redact";
import { commonParts, hostLogs, nodeParts } from "../report/stack-parts";

/** The slowest part is the status of a stack whose machines do not answer. */
const PART_MS = 3 * 60_000;

export function bugReportCommand(): Command {
  return reportCommand(
    "report [file]",
    "write one archive for a bug report: configuration, plan, status, events, logs, versions",
  )
    .addHelpText(
      "after",
      "\nDefault file: groundplane-report-STACK-TIME.tar.gz in this folder. Secrets, and the user's names and folders, are" +
        "\nredacted. Nothing is sent. What cannot be had is named in the archive.",
    )
    .action(async (file: string | undefined, { stack, json }: ReportOptions) => {
      await refuseUnknownStack(stack);
      const created = new Date();
      const target = path.resolve(file ?? `${nameOf(stack, created)}.tar.gz`);
      say(`collecting what belongs to ${stack}; this takes a minute or more if machines do not answer`);
      const report = await makeReport(stack, created);
      await writeFileAtomic(target, await packArchive(nameOf(stack, created), report.files, created), 0o600);
      for (const each of report.missing) say(`not in the report: ${each.file}: ${each.reason.split("\n")[0]}`);
      if (json) printJson({ file: target, files: Object.keys(report.files).sort(), missing: report.missing });
      else print(target);
    });
}

const nameOf = (stack: string, created: Date): string =>
  `groundplane-report-${stack}-${created.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

/** A stack without its file may still have machines and logs. */
async function refuseUnknownStack(stack: string): Promise<void> {
  const places = [path.join(projectFolder(), stackFile(stack)), stackFolder(stack)];
  if ((await Promise.all(places.map(exists))).includes(true)) return;
  throw new UserError("no-stack-file", `there is no ${stackFile(stack)}`, "name another stack with --stack");
}

/** All files of the archive. */
async function makeReport(stack: string, created: Date): Promise<CollectedReport> {
  const { words, unknown } = await learnPrivateWords(stack);
  const redact = redactor(words);
  const failed = (file: string) => (error: unknown) => [{ file, read: () => Promise.reject(error) }];
  const parts = [
    ...commonParts(stack),
    ...(await hostLogs(stack).catch(failed("logs/host"))),
    ...(await nodeParts(stack).catch(failed("logs/nodes"))),
  ];
  const report = await collect(parts, redact, PART_MS);
  const about = {
    ...{ format: 1, stack, created: created.toISOString() },
    redaction:
      unknown === undefined
        ? "the stack's secrets by their values, others by their form"
        : `secrets by their form and by the stack's files only, because Pulumi did not tell them: ${unknown}`,
    missing: report.missing,
  };
  return { ...report, files: { ...report.files, "about.json": redact(`${JSON.stringify(about, null, 2)}\n`) } };
}
