import * as path from "node:path";
import type { Command } from "commander";
import { readIfPresent, writeUserFile } from "../../host/file-store";
import { localHost } from "../../host/local-host";
import { packageLockTextOf } from "../../host/package-lock-file";
import { projectFolder, stackFile } from "../../host/project-folder";
import { rememberedDriver } from "../../hypervisors/choice/stack-driver";
import { CommandError } from "../../model/commands";
import { isDriverName } from "../../model/drivers";
import { forStack } from "../../model/next-step";
import { UserError } from "../../model/user-error";
import { assumedRelease } from "../../review/assumed-release";
import { compareRenderings } from "../../review/compare-renderings";
import { changesOfPreview, type PulumiPreview } from "../../review/from-preview";
import { countRoles, type RoleCounts } from "../../review/interruptions";
import { renderMarkdown } from "../../review/render-markdown";
import { renderStack, type StackRendering } from "../../review/render-stack";
import type { Review } from "../../review/review";
import { reviewChanges } from "../../review/review-changes";
import { commitOf, renderRevision } from "../../review/revision";
import { newerReleaseOf } from "../../stacks/plan/kept-releases";
import { askPulumi, isKnownToPulumi } from "../../toolchain/run-pulumi/pulumi-command";
import { lostState } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { packagesOfRolls } from "../packages-of-rolls";
import { print } from "../print";
import { readPlan, readRelease } from "../project";

interface PreviewOptions extends StackOptions {
  readonly base?: string;
  readonly markdown?: string;
  readonly json?: string;
}

export function previewCommand(): Command {
  return stackCommand("preview", "show the effect of a change on every node; exits with 1 if the change is refused")
    .option("--base <revision>", "compare with the stack at a git revision; needs no state and no machines")
    .option("--markdown <file>", "write one comment for a pull request")
    .option("--json <file>", "write the whole review for programs")
    .action(async ({ stack, base, markdown, json }: PreviewOptions) => {
      const review = await (base === undefined ? reviewOfStack(stack) : reviewOfRevision(stack, base));
      if (markdown !== undefined) await writeUserFile(markdown, renderMarkdown(review));
      if (json !== undefined) await writeUserFile(json, `${JSON.stringify(review, null, 2)}\n`);
      print(renderMarkdown(review, Number.POSITIVE_INFINITY));
      if (review.refused.length > 0) process.exitCode = 1;
    });
}

/** Compares plan and seeds of a revision with those of this folder. Needs only git and a temporary folder. */
async function reviewOfRevision(stack: string, base: string): Promise<Review> {
  const comparedWith = `\`${base}\` (${(await commitOf(base)).slice(0, 12)})`;
  const text = await readIfPresent(path.join(projectFolder(), stackFile(stack)));
  if (text === undefined)
    throw new UserError("no-stack-file", `there is no ${stackFile(stack)}`, "name another --stack");
  const lock = await packageLockTextOf(stack);
  const now = renderStack(text, stack, stackFile(stack), lock);
  const refusedFile = (problem: string): Review =>
    reviewChanges([], { stack, comparedWith, refused: [problem], settings: [], counts: {}, unchangedNodes: 0 });
  if ("problem" in now) return refusedFile(now.problem);
  const before = await renderRevision(base, stack);
  if (before && "problem" in before) {
    throw new UserError(
      "base-configuration",
      `${base}: ${before.problem}`,
      "compare with a revision that has a valid configuration",
    );
  }
  // A stack that the base has created keeps its release.
  const kept = before?.rendering.settings?.kubernetesVersion;
  const after = kept === undefined ? now : renderStack(text, stack, stackFile(stack), lock, kept);
  if ("problem" in after) return refusedFile(after.problem);
  const { changes, ...compared } = compareRenderings(before?.rendering, after.rendering);
  const refused = compared.refused.map((reason) => forStack(reason, stack));
  const assumed = before && assumedRelease(after.rendering, base);
  return reviewChanges(changes, {
    ...{ stack, comparedWith, counts: countsOf(before?.rendering), ...compared, refused },
    ...(assumed !== undefined && { notes: [assumed] }),
  });
}

function countsOf(rendering: StackRendering | undefined): RoleCounts {
  return countRoles((rendering?.nodes ?? []).map(({ roles }) => roles));
}

/** Reviews the output of `pulumi preview`, which includes drift. */
async function reviewOfStack(stack: string): Promise<Review> {
  if (!(await isKnownToPulumi(stack))) {
    const lost = await lostState(stack);
    if (lost) throw lost;
    throw new UserError(
      "stack-not-up",
      `the stack ${stack} is not up, so there is no state to compare with`,
      "start the stack, or compare with a git revision: `--base main`",
    );
  }
  // When the guard refuses, Pulumi fails and reports the reason in the same JSON.
  const text = await askPulumi(stack, ["preview", "--json", "--stack", stack]).catch((error: unknown) => {
    if (error instanceof CommandError && error.stdout.trim().startsWith("{")) return error.stdout;
    throw error;
  });
  const { changes, ...previewed } = changesOfPreview(JSON.parse(text) as PulumiPreview);
  const packages = await packagesOfRolls(stack, changes);
  const newer = await newerReleaseFor(stack);
  const notes = newer === undefined ? [] : [newer];
  return reviewChanges(changes, { stack, comparedWith: "the running stack", packages, notes, ...previewed });
}

/** A file that cannot be read is among the refusals. */
async function newerReleaseFor(stack: string): Promise<string | undefined> {
  const driver = await rememberedDriver(localHost, stack);
  const chosen = driver !== undefined && isDriverName(driver) ? driver : "auto";
  return Promise.all([readPlan(stack), readRelease(stack)]).then(
    ([plan, release]) => newerReleaseOf(plan, chosen, release),
    () => undefined,
  );
}
