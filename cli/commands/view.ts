import { type Command, InvalidArgumentError } from "commander";
import { untilInterrupted } from "../../host/interruption";
import { openAddress } from "../../host/open-address";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { forStack } from "../../model/next-step";
import type { StackOutputs } from "../../model/stack-outputs";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { refusedFaults } from "../../verify/refuse-faults";
import { injectFault } from "../../view/inject-fault";
import { followJournal } from "../../view/journal";
import { type Breakable, emptyState, LiveView } from "../../view/live-view";
import { observed } from "../../view/observed";
import { offeredFaults } from "../../view/offered-faults";
import { readPageFiles } from "../../view/page-files";
import type { Topology } from "../../view/picture/state";
import { askApi } from "../../view/probe";
import { type StackSource, stackSource } from "../../view/stack-source";
import { topologyOf } from "../../view/topology";
import { serveView } from "../../view/view-server";
import { driverOf } from "../driver";
import { readOutputs } from "../lost-state";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, say } from "../print";
import { readConfiguration } from "../project";

interface ViewOptions extends ReportOptions {
  readonly open?: boolean;
  readonly port?: number;
  readonly readOnly?: boolean;
}

export function viewCommand(): Command {
  return reportCommand("view", "serve a page on 127.0.0.1 that shows the running data centre, until Ctrl-C")
    .option("--open", "open the page in the browser")
    .option("--port <port>", "the page's port on 127.0.0.1 (default: a free one)", parsePort)
    .option("--read-only", "serve a page that cannot inject faults into the stack")
    .addHelpText(
      "after",
      "\nThe address has a secret part: anyone who has the address may read everything that the page shows and, without --read-only, inject the faults of `verify` into a stack that is not protected. A fault is put back at its end, also after Ctrl-C. With --json: prints what the page would show, once.",
    )
    .action(async ({ stack, json, open, port, readOnly = false }: ViewOptions) => {
      const plan = planDataCenter(await readConfiguration(stack));
      const driver = await driverOf(stack);
      const outputs = await readOutputs(stack);
      const topology = topologyOf(plan);
      const source = stackSource({ stack, outputs, driver, plan }, topology.dnsService);
      const refused = () => whyUnbreakable(stack, driver, readOnly);
      const faults = { offered: offeredFaults(plan), refused: await refused() };
      if (json) return printJson(await stateOnce(topology, source, faults));
      await serveUntilInterrupted({ topology, source, outputs, open, port, plan, driver, faults, refused });
    });
}

const readOnlyPage =
  "This page was started with `--read-only`. Start `npx groundplane view` without it to inject faults.";

/** The configuration may have changed since the page was opened. */
async function whyUnbreakable(stack: string, driver: Hypervisor, readOnly: boolean): Promise<string> {
  if (readOnly) return forStack(readOnlyPage, stack);
  const refused = refusedFaults(await readConfiguration(stack), driver);
  return refused ? `${refused.problem}. Next step: ${refused.hint}.` : "";
}

async function stateOnce(topology: Topology, source: StackSource, faults: Breakable) {
  try {
    const answers = await source.askAll();
    const asked = new Date(answers.nowMs).toISOString();
    return {
      ...emptyState(topology, source.driver, faults),
      ...observed(topology.stack, source.driver, answers, asked),
    };
  } finally {
    await source.close();
  }
}

interface ServedStack extends Pick<ViewOptions, "open" | "port"> {
  readonly topology: Topology;
  readonly source: StackSource;
  readonly outputs: StackOutputs;
  readonly plan: DataCenterPlan;
  readonly driver: Hypervisor;
  readonly faults: Breakable;
  readonly refused: () => Promise<string>;
}

async function serveUntilInterrupted(served: ServedStack): Promise<void> {
  const { topology, source, outputs, open, port, plan, driver: hypervisor, faults, refused } = served;
  const files = await readPageFiles();
  const probe = askApi(outputs.kubeconfig);
  const server = await serveView({
    live: new LiveView({ topology, source, ask: probe.ask, faults }),
    faults: { offered: faults.offered, refused, run: injectFault({ plan, outputs, hypervisor, say }) },
    files,
    journal: (node, onLine, signal) => followJournal(outputs, node, onLine, signal),
    ...(port !== undefined && { port }),
  });
  const interrupted = untilInterrupted();
  print(server.address);
  say("the page is served until Ctrl-C; the stack is asked while the page is open");
  const failed = () => say("no program on this host has opened the page: open the address yourself");
  const page = open ? await openAddress(server.address, failed) : undefined;
  await interrupted;
  await page?.remove();
  if (server.isBreaking()) say(forStack(putBackFirst, plan.stack));
  await server.close();
  probe.close();
}

const putBackFirst = "a fault is put back first; after a second Ctrl-C, `npx groundplane start` puts it back";

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError("must be from 1 to 65535.");
  return port;
}
