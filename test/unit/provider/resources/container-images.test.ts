import assert from "node:assert/strict";
import * as path from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { ConnectGuest, Guest } from "../../../../guests/guest";
import { UnreachableError } from "../../../../guests/guest-ssh";
import { allAddOnRecipes, archiveName } from "../../../../image/recipes/add-ons";
import type { ContainerImagesInputs } from "../../../../model/container-images-types";
import type { Host } from "../../../../model/host";
import type { MembershipInputs } from "../../../../model/resource-types";
import { UserError } from "../../../../model/user-error";
import { bringAddOnImages } from "../../../../provider/resources/add-on-images";
import { containerImagesResource } from "../../../../provider/resources/container-images";
import { archiveOfAddOn } from "../../../../provider/resources/send-image";
import { type Context, PartialFailure } from "../../../../provider/rpc/resource-handler";

const parts = "/data/parts";

/** A host with these archives, whose content is their own name. */
const hostWith = (...archives: readonly string[]): Host =>
  ({
    folders: { parts: () => parts },
    files: { exists: async (file: string) => archives.some((name) => file === path.join(parts, name, "seal.json")) },
    trees: { openRead: (file: string) => Readable.from([Buffer.from(file)]) },
  }) as unknown as Host;

class Node implements Guest {
  readonly done: string[] = [];
  isAway = false;
  /** As the API tells them: namespace and images. */
  workloads = "";
  constructor(readonly images: string[]) {}

  async run(argv: Parameters<Guest["run"]>[0], options: Parameters<Guest["run"]>[1] = {}) {
    const answer = (stdout: string) => ({ code: 0, stdout, stderr: "" });
    const words = argv.join(" ");
    if (words.includes("cluster-id")) return answer("id\n");
    if (words.startsWith("kubectl")) return answer(this.workloads);
    if (words.includes("images list")) return answer(this.images.join("\n"));
    const name = argv.at(-1) ?? "";
    if (words.includes("images remove")) {
      for (const image of argv.slice(5)) {
        this.images.splice(this.images.indexOf(image), 1);
        this.done.push(`removed ${image}`);
      }
      return answer("");
    }
    assert.match(words, /images import --local - && .* label "\$1" .*pinned=pinned/);
    const text = gunzipSync(await buffer(options.input ?? assert.fail("no stream"))).toString();
    this.images.push(name);
    this.done.push(`${name} from ${path.basename(path.dirname(path.dirname(text)))}`);
    return answer("");
  }
  readFiles = async () => [];
  writeFiles = async () => undefined;
}

const context = {
  ...{ signal: new AbortController().signal, timeoutSeconds: 6, name: "worker-1-container-images" },
  log: () => undefined,
} as unknown as Context;

const inputs = (images: Readonly<Record<string, string>>, other: object = {}): ContainerImagesInputs => ({
  ...{ stack: "apps", node: "worker-1", connection: {} as ContainerImagesInputs["connection"], images },
  ...{ generation: "1", nodeImage: "kubernetes-1", ...other },
});

function resourceOf(node: Node, host: Host) {
  const connect: ConnectGuest = async () => {
    if (node.isAway) throw new UnreachableError("no response");
    return node;
  };
  const resource = containerImagesResource(host, connect);
  const update = (now: ContainerImagesInputs, before: ContainerImagesInputs) =>
    resource.update("id", now, { inputs: before, outputs: before }, false, context);
  const read = (state: ContainerImagesInputs) => resource.read?.("id", { inputs: state, outputs: state }, context);
  return { ...resource, update, read };
}

test("a node gets the images that it lacks, each once", async () => {
  const node = new Node(["own/one:1"]);
  const wanted = inputs({ "own/one:1": "add-on-one", "own/two:1": "add-on-two" });
  const resource = resourceOf(node, hostWith("add-on-one", "add-on-two"));
  await resource.create(wanted, true, context);
  assert.deepEqual(node.done, [], "a preview brings nothing");
  await resource.create(wanted, false, context);
  assert.deepEqual(node.done, ["own/two:1 from add-on-two"]);
  assert.deepEqual((await resource.read(wanted))?.inputs, wanted);
});

test("a deleted image is a difference, and comes back", async () => {
  const node = new Node(["own/one:1"]);
  const wanted = inputs({ "own/one:1": "add-on-one", "own/two:1": "add-on-two" });
  const resource = resourceOf(node, hostWith("add-on-one", "add-on-two"));
  const seen = (await resource.read(wanted))?.inputs;
  assert.deepEqual(seen?.images, { "own/one:1": "add-on-one" });
  await resource.update(wanted, seen ?? wanted);
  assert.deepEqual(node.done, ["own/two:1 from add-on-two"]);
});

test("other content under the same name replaces it, and an add-on that is gone takes its image along", async () => {
  const node = new Node(["own/one:1", "own/two:1"]);
  const before = inputs({ "own/one:1": "add-on-one", "own/two:1": "add-on-two" });
  await resourceOf(node, hostWith("add-on-other")).update(inputs({ "own/one:1": "add-on-other" }), before);
  assert.deepEqual(node.done, ["own/one:1 from add-on-other", "removed own/two:1"]);
});

test("a new system disk gets them again, unless its roll has brought them", async () => {
  const state = inputs({ "own/one:1": "add-on-one" });
  for (const other of [{ generation: "2" }, { nodeImage: "kubernetes-2" }]) {
    const [empty, full] = [new Node([]), new Node(["own/one:1"])];
    for (const node of [empty, full])
      await resourceOf(node, hostWith("add-on-one")).update(inputs(state.images, other), state);
    assert.deepEqual(empty.done, ["own/one:1 from add-on-one"]);
    assert.deepEqual(full.done, []);
  }
});

test("without an archive on this host, the next step is its build", async () => {
  const created = resourceOf(new Node([]), hostWith()).create(inputs({ "own/one:1": "add-on-one" }), false, context);
  await assert.rejects(
    created,
    (error) => error instanceof UserError && error.id === "no-add-on" && /image build/.test(error.hint),
  );
});

test("a broken connection is tried again, and an archive that cannot be read is an error at once", async () => {
  const node = new Node([]);
  const run = node.run.bind(node);
  let breaks = 1;
  node.run = async (argv, options) => {
    if (options?.input && breaks-- > 0) throw new UnreachableError("the connection was lost");
    return run(argv, options);
  };
  const wanted = inputs({ "own/one:1": "add-on-one" });
  await resourceOf(node, hostWith("add-on-one")).create(wanted, false, context);
  assert.deepEqual(node.done, ["own/one:1 from add-on-one"]);
  const broken = hostWith("add-on-one");
  broken.trees.openRead = () =>
    new Readable({
      read() {
        this.destroy(new Error("EIO"));
      },
    });
  const failing = new Node([]);
  failing.run = async (_argv, options) => {
    if (!options?.input) return { code: 0, stdout: "", stderr: "" };
    await buffer(options.input).catch(() => undefined);
    return { code: 1, stdout: "", stderr: "gzip: unexpected end of file" };
  };
  await assert.rejects(resourceOf(failing, broken).create(wanted, false, context), /EIO/);
});

test("a node that does not respond keeps its state, and does not block a removal", async () => {
  const node = new Node(["own/one:1"]);
  node.isAway = true;
  const state = inputs({ "own/one:1": "add-on-one" });
  const resource = resourceOf(node, hostWith("add-on-one"));
  await assert.rejects(
    async () => resource.read(state),
    (error) => error instanceof PartialFailure,
  );
  await resource.delete("id", { inputs: state, outputs: state }, context);
  // The images that stay are there, so only the removal fails.
  const run = node.run.bind(node);
  node.isAway = false;
  node.run = async (argv, options) => {
    if (argv.includes("remove")) throw new UnreachableError("no response");
    return run(argv, options);
  };
  await resource.update(inputs({ "own/one:1": "add-on-one" }), inputs({ ...state.images, "own/two:1": "add-on-two" }));
  node.run = run;
  await resource.delete("id", { inputs: state, outputs: state }, context);
  assert.deepEqual(node.images, []);
});

test("the archive of each add-on is found by the name of its image, whatever the release", async () => {
  for (const recipe of allAddOnRecipes()) {
    const host = hostWith(archiveName(recipe));
    assert.equal(
      await archiveOfAddOn(host, recipe.image.name),
      path.join(parts, archiveName(recipe), "content/image.tar"),
    );
  }
  assert.equal(await archiveOfAddOn(hostWith(), "registry.k8s.io/coredns:v1"), undefined);
});

test("during a roll, a node gets the images of add-ons from this host, because masters have none of them", async () => {
  const [recipe] = allAddOnRecipes();
  assert.ok(recipe);
  const [master, worker] = [new Node([]), new Node([])];
  master.workloads = `metallb-system ${recipe.image.name}`;
  const connect: ConnectGuest = async (connection) =>
    (connection as unknown as string) === "master" ? master : worker;
  const masters = [{ name: "master-1", address: "", connection: "master" }];
  const membershipOf = (...roles: readonly string[]) =>
    ({ node: "worker-1", connection: "worker", masters, roles }) as unknown as MembershipInputs;
  const host = hostWith(archiveName(recipe));
  await bringAddOnImages(connect, membershipOf("master"), context, host);
  assert.deepEqual(worker.done, [], "no pod of it runs there");
  const membership = membershipOf("worker");
  await bringAddOnImages(connect, membership, context, host);
  assert.deepEqual(worker.done, [`${recipe.image.name} from ${archiveName(recipe)}`]);
  await bringAddOnImages(connect, membership, context, hostWith());
  assert.equal(worker.done.length, 1, "once");
});
