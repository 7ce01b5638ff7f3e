import { type Command, InvalidArgumentError } from "commander";
import { untilInterrupted } from "../../host/interruption";
import { openAddress } from "../../host/open-address";
import type { StackOutputs } from "../../model/stack-outputs";
import { followJournal } from "../../view/journal";
import { emptyState, LiveView } from "../../view/live-view";
import { observed } from "../../view/observed";
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
import { readPlan } from "../project";

interface ViewOptions extends ReportOptions {
  readonly open?: boolean;
  readonly port?: number;
}

export function viewCommand(): Command {
  return reportCommand("view", "serve a page on 127.0.0.1 that shows the running data centre, until Ctrl-C")
    .option("--open", "open the page in the browser")
    .option("--port <port>", "the page's port on 127.0.0.1 (default: a free one)", parsePort)
    .addHelpText(
      "after",
      "\nThe address has a secret part: anyone who has the address may read everything that the page shows. With --json: prints what the page would show, once.",
    )
    .action(async ({ stack, json, open, port }: ViewOptions) => {
      const plan = await readPlan(stack);
      const driver = await driverOf(stack);
      const outputs = await readOutputs(stack);
      const topology = topologyOf(plan);
      const source = stackSource({ stack, outputs, driver, plan }, topology.dnsService);
      if (json) return printJson(await stateOnce(topology, source));
      await serveUntilInterrupted({ topology, source, outputs, open, port });
    });
}

async function stateOnce(topology: Topology, source: StackSource) {
  try {
    const answers = await source.askAll();
    const asked = new Date(answers.nowMs).toISOString();
    return { ...emptyState(topology, source.driver), ...observed(topology.stack, source.driver, answers, asked) };
  } finally {
    await source.close();
  }
}

interface ServedStack extends Pick<ViewOptions, "open" | "port"> {
  readonly topology: Topology;
  readonly source: StackSource;
  readonly outputs: StackOutputs;
}

async function serveUntilInterrupted({ topology, source, outputs, open, port }: ServedStack): Promise<void> {
  const files = await readPageFiles();
  const probe = askApi(outputs.kubeconfig);
  const server = await serveView({
    live: new LiveView({ topology, source, ask: probe.ask }),
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
  probe.close();
  await server.close();
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError("must be from 1 to 65535.");
  return port;
}
