/**
 * Another image reaches the nodes of a running stack, with the complete program on the real engine and machines of the fake driver: also
 * a stack that has no record of its nodes' images.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { packageLockFile, packageLockText } from "../../model/package-lock";
import { findPulumi } from "../../toolchain/obtain-pulumi";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { useOtherImage } from "../support/other-image";
import { copyProject } from "../support/project-copy";
import { smallLock } from "../support/small-lock";

const stack = "rolled";
const settings = `config:
  groundplane:dataCenter:
    driver: fake
    pools:
      balancers: { count: 1 }
      masters: { count: 1 }
      workers: { count: 2 }
`;

const workers = ["worker-1", "worker-2"];

test("node images on the real engine", { timeout: 20 * 60_000 }, async (t) => {
  if (!(await findPulumi())) return t.skip("no Pulumi on this host: `npm start` obtains it");
  const project = copyProject(dataFolder());
  const cluster = new ClusterUnderTest(project, stack);
  after(() => project.remove());
  const pulumi = (...words: string[]) => cluster.pulumi(...words, "--non-interactive");
  const up = async () => mustSucceed("up", await pulumi("up", "--yes", "--skip-preview")).stdout;
  const machine = (name: string) => {
    const file = path.join(project.data, "fake", stack, "machines", name, "machine.json");
    const { made, power } = JSON.parse(fs.readFileSync(file, "utf8"));
    return { image: made.spec.image, former: made.former, generation: made.generation, power };
  };
  const console = (name: string) =>
    fs.readFileSync(path.join(project.data, "fake", stack, "machines", name, "console.log"), "utf8");
  const noChanges = async () => mustSucceed("preview", await pulumi("preview", "--expect-no-changes"));

  fs.writeFileSync(project.stackFile(stack), settings);
  mustSucceed("init", await pulumi("stack", "init"));
  await up();

  await t.test("a preview lists the workers, and up gives them the image, one after the other", async () => {
    const before = Object.fromEntries([...workers, "master-1"].map((name) => [name, machine(name)]));
    const { before: former, after: image } = useOtherImage(project, "one");
    const { stdout } = mustSucceed("preview", await pulumi("preview", "--diff"));
    for (const name of [...workers, "master-1"]) assert.match(stdout, new RegExp(`NodeImage::${name}-image`));
    assert.doesNotMatch(stdout, /NodeImage::(?:gateway|balancer-1)-image/);
    const told = mustSucceed("preview", await pulumi("preview")).stdout;
    assert.match(
      told.replaceAll(/\s+/g, " "),
      /master-1 moves from .* Unavailable meanwhile: the API, until it is back/,
    );
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.match(
      review,
      new RegExp(`\`worker-1\` \\| gets another image \\| image: ${former} -> ${image} \\| its pods`),
    );
    await up();
    for (const name of [...workers, "master-1"])
      assert.deepEqual(machine(name), { ...before[name], image, former: undefined }, `${name} is the same machine`);
    assert.match(console("master-1"), /drain-node worker-1 [\s\S]*forget-node worker-1\n[\s\S]*drain-node worker-2 /);
    await noChanges();
  });

  await t.test("a stack of an earlier version adopts the images that its machines have", async () => {
    await withoutNodeImages();
    const before = console("master-1");
    const planned = mustSucceed("preview", await pulumi("preview")).stdout;
    assert.match(planned, /NodeImage +worker-1-image +create/);
    assert.match(await up(), /\+ 6 created/);
    assert.doesNotMatch(console("master-1").slice(before.length), /drain|forget/);
    await noChanges();
  });

  await t.test("a stack of an earlier version with other images moves to those of the plan", async () => {
    await withoutNodeImages();
    const { after: image } = useOtherImage(project, "two");
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.match(review, /`worker-2` \| gets another image/);
    assert.match(
      mustSucceed("preview", await pulumi("preview")).stdout,
      /worker-2 moves from kubernetes-\w+ to kubernetes-\w+/,
    );
    await up();
    for (const name of workers) assert.equal(machine(name).image, image);
    await noChanges();
  });

  await t.test("an interrupted exchange is seen and completed", async () => {
    const file = path.join(project.data, "fake", stack, "machines", "worker-1", "machine.json");
    const record = JSON.parse(fs.readFileSync(file, "utf8"));
    const former = { image: "kubernetes-000000000000", parts: [], kept: {}, step: "aside" };
    fs.writeFileSync(file, JSON.stringify({ ...record, made: { ...record.made, former } }));
    const { exitCode } = await pulumi("preview", "--expect-no-changes");
    assert.notEqual(exitCode, 0);
    await up();
    assert.equal(machine("worker-1").former, undefined);
    await noChanges();
  });

  await t.test("a package lock gives the workers another image, and one that does not fit is refused", async () => {
    const lock = path.join(project.folder, packageLockFile(stack));
    const former = machine("worker-1").image;
    fs.writeFileSync(lock, packageLockText(smallLock()));
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.match(review, new RegExp(`\`worker-1\` \\| gets another image \\| image: ${former} -> kubernetes-`));
    await up();
    const { image } = machine("worker-1");
    assert.notEqual(image, former);
    assert.equal(machine("worker-2").image, image);
    await noChanges();
    fs.writeFileSync(lock, packageLockText(smallLock({}, "ubuntu")));
    const { exitCode, stdout, stderr } = await pulumi("preview");
    assert.notEqual(exitCode, 0);
    assert.match(`${stdout}${stderr}`, /package lock does not fit[\s\S]*groundplane image update --stack rolled/);
    fs.rmSync(lock);
  });

  await t.test("a gateway that was left on a disk that does not respond gets its former one back first", async () => {
    // Without the package lock of the step before, the plan has other images.
    await up();
    const before = machine("gateway");
    leaveSilent("gateway", "infrastructure-000000000000");
    assert.match(await up(), /gateway: a roll to another image was interrupted; its former system disk returns first/);
    assert.deepEqual(machine("gateway"), before, "with the former plan");
    await noChanges();
    const { after: image } = useOtherImage(project, "three", "infrastructure");
    leaveSilent("gateway", image);
    assert.match(await up(), /gateway: a roll to another image was interrupted; its former system disk returns first/);
    assert.deepEqual(machine("gateway"), { ...before, image }, "with the plan that was interrupted");
    await noChanges();
  });

  await t.test("destroy leaves nothing", async () => {
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    assert.deepEqual(JSON.parse((await pulumi("stack", "export")).stdout).deployment.resources ?? [], []);
  });

  /** As an `up` leaves a machine that is killed while the machine has another disk, which does not boot. */
  function leaveSilent(name: string, image: string): void {
    const file = path.join(project.data, "fake", stack, "machines", name, "machine.json");
    const record = JSON.parse(fs.readFileSync(file, "utf8"));
    const former = { image: record.made.spec.image, parts: [], kept: {}, step: "aside" };
    const made = { ...record.made, spec: { ...record.made.spec, image }, former };
    fs.writeFileSync(file, JSON.stringify({ ...record, pulledLinks: ["uplink"], made }));
  }

  /** As the state of an earlier version is. */
  async function withoutNodeImages(): Promise<void> {
    const state = JSON.parse(mustSucceed("export", await pulumi("stack", "export")).stdout);
    const isOfImages = (text: string): boolean => /groundplane:(?:index:NodeImage|components:NodeImages)::/.test(text);
    const { resources } = state.deployment;
    state.deployment.resources = resources
      .filter(({ urn }: { readonly urn: string }) => !isOfImages(urn))
      .map(({ dependencies = [], ...resource }: { readonly dependencies?: readonly string[] }) => ({
        ...resource,
        dependencies: dependencies.filter((urn) => !isOfImages(urn)),
      }));
    const file = path.join(project.data, "former-state.json");
    fs.writeFileSync(file, JSON.stringify(state));
    mustSucceed("import", await pulumi("stack", "import", "--file", file));
  }
});
