import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { VERSION_PROPERTY } from "../../model/formats";
import { formerResourceNames } from "../../model/former-names";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { copyProject, type ProjectCopy } from "../support/project-copy";

/** The complete program on the real engine and the real provider. Only the machines are simulated. */

const stack = "graph";
const settings = (workers: number, storage: number) => `config:
  groundplane:dataCenter:
    driver: fake
    pools:
      balancers: { count: 2 }
      masters: { count: 3 }
      workers: { count: ${workers} }
      storage: { count: ${storage} }
`;

test("a data centre on the real engine", { timeout: 20 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project: ProjectCopy = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  const configure = (workers: number, storage = 0): void =>
    fs.writeFileSync(project.stackFile(stack), settings(workers, storage));
  const up = async (): Promise<string> =>
    mustSucceed("up", await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive")).stdout;
  const useFormerState = async (former: (state: string) => string): Promise<void> => {
    const { stdout } = mustSucceed("export", await cluster.pulumi("stack", "export"));
    const file = path.join(project.data, "former-state.json");
    fs.writeFileSync(file, former(stdout));
    mustSucceed("import", await cluster.pulumi("stack", "import", "--file", file));
  };
  const useFormerNames = (): Promise<void> => useFormerState(withFormerNames);

  after(() => project.remove());

  await t.test("up creates everything, and a second up changes nothing", async () => {
    configure(1);
    mustSucceed("init", await cluster.pulumi("stack", "init"));
    assert.match(changes(await up()), /^\+ \d+ created$/);
    const preview = ["preview", "--diff", "--expect-no-changes", "--non-interactive"];
    const again = mustSucceed("preview", await cluster.pulumi(...preview)).stdout;
    assert.doesNotMatch(again, /refresh|\[urn=(?!.*::pulumi:pulumi:Stack::)/, "nothing is shown");
  });

  await t.test("a stack whose state has the names of earlier versions is adopted without a replacement", async () => {
    const asPresent = async (): Promise<void> => {
      assert.equal(changes(await up()), "");
      const state = mustSucceed("export", await cluster.pulumi("stack", "export")).stdout;
      for (const [former, present] of formerNames) {
        assert.ok(!state.includes(former), `${former} is left in the state`);
        assert.ok(state.includes(present), `${present} is missing in the state`);
      }
    };
    await useFormerNames();
    mustSucceed("preview", await cluster.pulumi("preview", "--expect-no-changes", "--non-interactive"));
    await asPresent();
    await useFormerNames();
    mustSucceed("refresh", await cluster.pulumi("refresh", "--yes", "--skip-preview", "--non-interactive"));
    await asPresent();
  });

  await t.test("a stack of an earlier version is updated without a replacement, and then has no changes", async () => {
    const machines = path.join(project.data, "fake", stack, "machines");
    const records = fs.readdirSync(machines).map((name) => path.join(machines, name, "machine.json"));
    await useFormerState((state) => withFormerProperties(withFormerNames(state)));
    for (const file of records) fs.writeFileSync(file, withFormerSpec(fs.readFileSync(file, "utf8")));
    const planned = mustSucceed("preview", await cluster.pulumi("preview", "--non-interactive")).stdout;
    assert.match(changes(planned), /^~ \d+ to update$/);
    assert.match(changes(await up()), /^~ \d+ updated$/);
    mustSucceed("preview", await cluster.pulumi("preview", "--expect-no-changes", "--non-interactive"));
    const state = mustSucceed("export", await cluster.pulumi("stack", "export")).stdout;
    for (const former of ["cpuWeight", "bootstrapToken"])
      assert.ok(!state.includes(`"${former}":`), `${former} is left in the state`);
  });

  await t.test("a new worker is the only created node, and nothing is replaced", async () => {
    configure(2);
    const grown = await up();
    // A resource may have several lines, one for each event.
    const created = new Set([...grown.matchAll(/^ \+ +groundplane:index:(\S+ \S+) created/gm)].map(([, what]) => what));
    const expected = ["Machine worker-2", "Membership worker-2-membership", "NodeFiles worker-2-files"];
    assert.deepEqual([...created].sort(), [...expected, "NodeImage worker-2-image"]);
    assert.doesNotMatch(changes(grown), /replaced|deleted/);
    const updated = new Set([...grown.matchAll(/^ ~ +groundplane:index:(\S+) \S+ updated/gm)].map(([, type]) => type));
    // The guard records the configuration, and the gate waits for the new node.
    assert.deepEqual([...updated].sort(), ["Guard", "NodeFiles", "NodeTask"], "a machine that exists is left alone");
  });

  await t.test("a wrong configuration is reported with line numbers before anything changes", async () => {
    fs.writeFileSync(
      project.stackFile(stack),
      settings(2, 0).replace("masters: { count: 3 }", "masters: { count: 2 }"),
    );
    const refused = await cluster.pulumi("preview", "--non-interactive");
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stdout + refused.stderr, /stacks\/Pulumi\.graph\.yaml:6 +pools\.masters\.count: 2/);
    assert.doesNotMatch(refused.stdout + refused.stderr, /at .*program\.ts:\d+/);
  });

  await t.test("an existing stack keeps its driver, also with auto", async () => {
    const nspawn = settings(2, 0).replace("driver: fake", "driver: nspawn");
    fs.writeFileSync(project.stackFile(stack), nspawn);
    const refused = await cluster.pulumi("preview", "--non-interactive");
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stdout + refused.stderr, /graph exists on fake, but the configuration says nspawn/);
    fs.writeFileSync(project.stackFile(stack), nspawn.replace("driver: nspawn", "driver: auto"));
    mustSucceed("preview", await cluster.pulumi("preview", "--expect-no-changes", "--non-interactive"));
  });

  await t.test("destroy leaves nothing and can be repeated, also with former names in the state", async () => {
    configure(2);
    await useFormerNames();
    for (const _ of [1, 2]) mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    assert.deepEqual(JSON.parse((await cluster.pulumi("stack", "export")).stdout).deployment.resources ?? [], []);
  });
});

/** Strings of a state, by former and present name. */
const formerNames = Object.entries(formerResourceNames).flatMap(([present, { type, name, properties }]) => [
  [`groundplane:index:${type}::${name}"`, `groundplane:index:${present}::${present.toLowerCase()}"`] as const,
  [`groundplane:index:${type}"`, `groundplane:index:${present}"`] as const,
  ...Object.entries(properties).map(([former, now]) => [`"${former}":`, `"${now}":`] as const),
]);

/** Earlier versions wrote none. */
const withoutVersions = (state: string): string =>
  JSON.stringify(JSON.parse(state, (key, value) => (key === VERSION_PROPERTY ? undefined : value)));

/** A state as an earlier version writes it. */
function withFormerNames(state: string): string {
  return formerNames.reduce((text, [former, present]) => {
    assert.ok(text.includes(present), `${present} does not occur in the state`);
    return text.replaceAll(present, former);
  }, withoutVersions(state));
}

type Stored = Record<string, unknown>;

const withoutRoles = ({ roles: _, ...rest }: Stored): Stored => rest;
const formerMachine = (machine: Stored): Stored => ({ ...withoutRoles(machine), cpuWeight: 1024 });
const formerMembers = (members: unknown) => (members as Stored[]).map(withoutRoles);

/**
 * Earlier versions had one role and the stack's join token for each membership, none of both for machines and guarded
 * members, and a CPU weight.
 */
const formerProperties: Readonly<Record<string, (properties: Stored) => Stored>> = {
  "groundplane:index:Machine": formerMachine,
  "groundplane:index:Membership": ({ roles, ...rest }) => ({
    ...rest,
    role: (roles as string[]).includes("master") ? "master" : "worker",
    bootstrapToken: "abcdef.0123456789abcdef",
  }),
  "groundplane:index:Guard": ({ masters, balancers, storage, ...rest }) => ({
    ...rest,
    ...{ masters: formerMembers(masters), balancers: formerMembers(balancers), storage: formerMembers(storage) },
  }),
};

/** A state with the properties of an earlier version. */
function withFormerProperties(text: string): string {
  const state = JSON.parse(text);
  for (const resource of state.deployment.resources) {
    const former = formerProperties[resource.type];
    if (!former) continue;
    resource.inputs = former(resource.inputs);
    resource.outputs = former(resource.outputs);
  }
  return JSON.stringify(state);
}

/** A machine's record as the simulated hypervisor of an earlier version writes it. */
function withFormerSpec(text: string): string {
  const record = JSON.parse(text);
  return JSON.stringify({ ...record, made: { ...record.made, spec: formerMachine(record.made.spec) } });
}

/** The counts below `Resources:`. */
const changes = (output: string): string =>
  (/Resources:\n((?: {4}.*\n)+)/.exec(output)?.[1] ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.endsWith("unchanged"))
    .join(", ");
