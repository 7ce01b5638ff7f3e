import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { formatSummary } from "../../cli/commands/start";
import { addOnNames, addOns } from "../../model/add-ons";
import { closedToPods, gatewayServices, interSegmentFlows, serviceFlow } from "../../model/flows";
import { healthCheckNames, healthChecks } from "../../model/health-checks";
import { describeStages, keyRotations } from "../../model/key-rotations";
import { recordedBench, recordedContract, recordedTopologies, splitByCommit } from "../../model/measured/measurements";
import { ports } from "../../model/ports";
import { roleNames } from "../../model/roles";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import type { Fault } from "../../verify/fault";
import { faults } from "../../verify/faults/all";
import { componentCrashes } from "../../verify/faults/control-plane";
import { renderContract } from "../../verify/render-contract";
import type { BenchResult } from "../bench/bench";
import { contract } from "../bench/lab-steps/contract";
import { renderRecorded } from "../bench/results-table";
import { controlPlaneControls } from "../support/benchmark/control-plane";
import { nodeControls } from "../support/benchmark/nodes";
import { renderConfigurationKeys } from "../support/configuration-keys";
import { fenced, markdownTable, projectFolder, readDocument, type WrittenPart, withPart } from "../support/documents";
import { examplePlan } from "../support/example-plans";
import { exampleSettings, exampleText } from "../support/example-stacks";
import { writtenPlan } from "../support/written-plan";
import { renderWordPairs } from "./words";

/**
 * `RECORD=1 npm run test:docs` updates these parts. The run fails, so that the variable is not left set.
 */
const recording = process.env.RECORD === "1";

const parts: readonly WrittenPart[] = [
  {
    document: "docs/configuration.md",
    name: "file:stacks/Pulumi.lab.yaml",
    render: () => fenced("yaml", withoutSalt(exampleText("lab"))),
  },
  { document: "README.md", name: "start-summary", render: renderStartSummary },
  { document: "docs/security.md", name: "flows", render: renderFlows },
  { document: "docs/troubleshooting.md", name: "health", render: renderHealthChecks },
  { document: "docs/configuration.md", name: "pair-faults", render: renderFaultsNotOfPair },
  { document: "docs/security.md", name: "closed-to-pods", render: renderClosedToPods },
  { document: "docs/security.md", name: "benchmark", render: renderExceptions },
  { document: "docs/contract.md", name: "contract", render: renderRecordedContract },
  { document: "docs/contract.md", name: "topologies", render: renderRecordedTopologies },
  { document: "docs/performance.md", name: "bench", render: renderBenchWithoutFaults },
  { document: "docs/add-ons.md", name: "add-ons", render: renderAddOns },
  { document: "docs/keys.md", name: "rotations", render: renderRotations },
  { document: "stacks/README.md", name: "keys", render: renderConfigurationKeys },
  { document: "CONTRIBUTING.md", name: "words", render: renderWordPairs },
];

for (const part of parts) {
  test(`${part.document} shows the current ${part.name}`, () => {
    const text = readDocument(part.document);
    const right = withPart(text, part);
    if (recording) fs.writeFileSync(path.join(projectFolder, part.document), right);
    assert.equal(text, right, "RECORD=1 npm run test:docs updates it");
  });
}

function renderRotations(): string {
  const rotated = Object.entries(keyRotations).map(([key, rotation]) => [
    `\`${key}\``,
    rotation.title,
    describeStages(rotation),
    rotation.consequence,
  ]);
  return markdownTable(["key", "is", "is replaced in stages", "besides"], rotated);
}

/** The other faults do not depend on the implementation of failover. */
const moving = ["balancer-kill", "planned-move", "haproxy-crash", "isolation", "partition"];

test("the recorded contract has every fault of lab, and the floating IP's faults for both implementations of failover", () => {
  const measured = (way: string, name: string): boolean =>
    recordedContract.some(
      ({ movedBy, faults: made }) =>
        movedBy === way && made.some((one) => one.name === name && one.failed === undefined && one.results.length > 0),
    );
  // The contract is recorded on `lab`; faults of other topologies do not apply to it, and crashes of components compare stacks.
  const ofLab = faults.filter(
    (fault) => fault.inapplicable(examplePlan("lab")) === undefined && !componentCrashes.includes(fault),
  );
  for (const { name } of ofLab) assert.ok(measured("pacemaker", name), `pacemaker, ${name}`);
  for (const name of moving) assert.ok(measured("keepalived", name), `keepalived, ${name}`);
});

test("the recorded topologies have every fault that applies to them", () => {
  const lab = (options: object) => writtenPlan({ ...exampleSettings("lab"), options });
  const plans: Readonly<Record<string, DataCenterPlan>> = {
    lab: lab({}),
    "lab, nginx": lab({ balancer: "nginx" }),
    "lab, services": lab({ controlPlane: "services" }),
    production: examplePlan("production"),
    pair: examplePlan("pair"),
  };
  assert.deepEqual(
    recordedTopologies.map(({ title }) => title),
    Object.keys(plans),
  );
  for (const { title, reports } of recordedTopologies) {
    const made = reports.flatMap(({ faults: each }) =>
      each.filter(({ results, failed }) => results.length > 0 && !failed),
    );
    const measured = new Set(made.map(({ name }) => name));
    for (const fault of faults) {
      if (fault.inapplicable(plans[title] as DataCenterPlan) !== undefined || !isCompared(fault, title)) continue;
      assert.ok(measured.has(fault.name), `${title}: ${fault.name}`);
    }
  }
});

/** Components crash in both forms of the control plane, and one stack shows what a saturated host does. */
const isCompared = (fault: Fault, title: string): boolean =>
  componentCrashes.includes(fault) ? title === "lab" || title === "lab, services" : fault.name !== "saturation";

test("RECORD is not set", () => {
  assert.ok(!recording, "recorded: review the difference, then run again without RECORD");
});

/** In a used clone, Pulumi adds the salt to the file. */
const withoutSalt = (text: string): string => text.replace(/^encryptionsalt:.*\n/m, "");

/** What `npm start` prints at its end, with the measured time of `up`. No measurement has the other phases. */
function renderStartSummary(): string {
  const up = (recordedBench as readonly BenchResult[]).find(({ name }) => name === "lab-up");
  const plan = examplePlan("lab");
  const summary = formatSummary({
    stack: "lab",
    isUnchanged: false,
    outputs: { apiEndpoint: `https://127.0.0.1:${plan.hostPorts.api}`, inventory: plan.nodes },
    kubeconfig: "~/.local/share/groundplane/stacks/lab/kubeconfig",
    times: [{ phase: "up", seconds: up?.median ?? Number.NaN }],
  });
  return fenced("text", summary.replace(/^ +total .*\n/m, ""));
}

/** Figures of different commits are not shown in one table. */
function renderRecordedContract(): string {
  const { latest, older } = splitByCommit(recordedContract);
  const missing = older.flatMap(({ movedBy, faults: made }) => made.map(({ name }) => `\`${name}\` (${movedBy})`));
  const left = missing.length === 0 ? "" : `\nMeasured at an older commit only, not shown: ${missing.join(", ")}.\n`;
  return renderContract(latest) + left;
}

/** Each topology is compared with the others at the commit that was measured last. */
function renderRecordedTopologies(): string {
  const titles = new Map(recordedTopologies.flatMap(({ title, reports }) => reports.map((report) => [report, title])));
  const { latest, older } = splitByCommit([...titles.keys()]);
  assert.deepEqual(older, [], "all topologies are measured at one commit");
  return renderContract(latest, (report) => titles.get(report) ?? "");
}

/** The contract shows the figures of faults. A second table with other rounds would contradict it. */
function renderBenchWithoutFaults(): string {
  const faultRows = contract.rows.map(({ name }) => name);
  return renderRecorded((recordedBench as readonly BenchResult[]).filter(({ name }) => !faultRows.includes(name)));
}

function renderFlows(): string {
  const nodes = interSegmentFlows.map(({ purpose, from, to, protocol, ports }) => [
    from.map(partyName).join(", "),
    to.map(partyName).join(", "),
    `${protocol} ${ports.join(", ")}`,
    purpose,
  ]);
  const sources = {
    ...{ segments: "any host", uplink: "127.0.0.1 of this host" },
    ...{ balancers: "balancers", masters: "masters, where the gateway is a member of etcd" },
  } as const;
  const gateway = gatewayServices.map(({ purpose, protocol, port, from }) => [
    sources[from],
    "gateway",
    `${protocol} ${port}`,
    purpose,
  ]);
  const api = ["127.0.0.1 of this host", partyName("api"), `tcp ${ports.api}`, "API, from the host's port"];
  const services = [sources.segments, serviceFlow.purpose, "all", "Services, with `addons.metallb`"];
  return markdownTable(["from", "to", "by", "for"], [...nodes, api, services, ...gateway]);
}

function renderAddOns(): string {
  const rows = addOnNames.map((name) => {
    const { title, gives, cost } = addOns[name];
    const { memoryMiB, cores, imageMiB, buildSeconds } = cost;
    const shown = (figure: number | undefined, unit = "") =>
      figure === undefined ? "not measured" : `${figure}${unit}`;
    const used = [shown(memoryMiB, " MiB"), shown(cores), shown(imageMiB, " MiB")];
    return [`\`addons.${name}\``, title, gives, ...used, `${Math.ceil(buildSeconds / 60)} min`];
  });
  return markdownTable(
    ["key", "is", "gives", "memory", "cores", "on each worker's disk", "processor time of the first build"],
    rows,
  );
}

function renderHealthChecks(): string {
  const rows = healthCheckNames.map((name) => {
    const { asks, of, means, promised } = healthChecks[name];
    const asked =
      of.length === 0 ? "hypervisor, API" : of.length === roleNames.length ? "every machine" : of.join(", ");
    return [`\`${name}\``, `${asks}${promised ? "" : " (not promised)"}`, asked, means];
  });
  return markdownTable(["check", "healthy when", "asked of", "a bad answer means"], rows);
}

function renderFaultsNotOfPair(): string {
  const rows = faults.flatMap(({ name, inapplicable }) => {
    const reason = inapplicable(examplePlan("pair"));
    return reason === undefined ? [] : [[`\`${name}\``, reason]];
  });
  return markdownTable(["fault", "reason"], rows);
}

function renderClosedToPods(): string {
  const rows = closedToPods.map(({ purpose, protocol, ports }) => [purpose, `${protocol} ${ports.join(", ")}`]);
  return markdownTable(["closed to pods", "ports"], rows);
}

function renderExceptions(): string {
  const rows = [...controlPlaneControls, ...nodeControls].flatMap(({ id, title, scored, exception }) =>
    exception === undefined ? [] : [[id, scored ? "scored" : "recommendation", title, exception]],
  );
  return markdownTable(["control", "kind", "subject", "why it is not met"], rows);
}

const partyName = (party: string): string =>
  party === "api"
    ? "balancers, floating IP"
    : `${party}s`.replace("storages", "storage").replace("etcds", "etcd machines");
