// Versions in the state of resources, over the provider's server as the engine calls it.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { stateMigrations, VERSION_PROPERTY, versionAfter } from "../../model/formats";
import type { ResourceTypeName } from "../../model/resource-types";
import { groundplaneProvider } from "../../provider/definition";
import { decode, encode, type Properties } from "../../provider/rpc/property-values";
import { ProviderServer } from "../../provider/rpc/provider-server";
import { PartialFailure, type ProviderDefinition, type ResourceHandler } from "../../provider/rpc/resource-handler";

const type = "tested:index:Thing";
const urn = `urn:pulumi:dev::test::${type}::it`;

const thing: ResourceHandler = {
  ...{ replaceOn: [], deleteBeforeReplace: true, refreshBeforeUpdate: false },
  migrations: [{ colour: "color" }, { weight: null }],
  check: async (news) => ({ inputs: news }),
  create: async (inputs) => {
    if (inputs.color === "none") throw new PartialFailure("no color", { id: "it", inputs, outputs: inputs });
    return { id: "it", outputs: inputs };
  },
  read: async (id, inputs, outputs) => ({ id, inputs, outputs }),
  update: async (_id, inputs) => inputs,
  delete: async () => undefined,
};

const definition = (handler: ResourceHandler): ProviderDefinition => ({
  ...{ name: "tested", version: "0.0.1", resources: { [type]: handler } },
});
const server = new ProviderServer(definition(thing));

const first: Properties = { colour: "red", weight: 1 };
const present: Properties = { color: "red", [VERSION_PROPERTY]: 3 };

async function check(olds: Properties | undefined, news: Properties, on = server) {
  const request = new pb.CheckRequest();
  request.setUrn(urn);
  if (olds) request.setOlds(encode(olds));
  request.setNews(encode(news));
  return decode((await on.check(request)).getInputs()).properties;
}

async function changes(oldInputs: Properties, news: Properties) {
  const request = new pb.DiffRequest();
  request.setUrn(urn);
  request.setOldInputs(encode(oldInputs));
  request.setNews(encode(news));
  return (await server.diff(request)).getDiffsList();
}

async function read(inputs: Properties, outputs: Properties) {
  const request = new pb.ReadRequest();
  request.setUrn(urn);
  request.setId("it");
  request.setInputs(encode(inputs));
  request.setProperties(encode(outputs));
  const response = await server.read(request);
  return [response.getInputs(), response.getProperties()].map((each) => decode(each).properties);
}

async function create(inputs: Properties) {
  const request = new pb.CreateRequest();
  request.setUrn(urn);
  request.setProperties(encode(inputs));
  return decode((await server.create(request)).getProperties()).properties;
}

async function update(olds: Properties, news: Properties) {
  const request = new pb.UpdateRequest();
  request.setUrn(urn);
  request.setOlds(encode(olds));
  request.setOldInputs(encode(olds));
  request.setNews(encode(news));
  return decode((await server.update(request)).getProperties()).properties;
}

async function remove(olds: Properties) {
  const request = new pb.DeleteRequest();
  request.setUrn(urn);
  request.setId("it");
  request.setOldInputs(encode(olds));
  request.setProperties(encode(olds));
  await server.delete(request);
}

test("inputs and outputs get the version of the code", async () => {
  assert.deepEqual(await check(undefined, { color: "red" }), present);
  assert.deepEqual(await create(present), present);
  assert.deepEqual(await update(present, { ...present, color: "blue" }), { ...present, color: "blue" });
  assert.deepEqual(await read(present, present), [present, present]);
});

test("a state without a version has version 1: it is migrated, which is no difference", async () => {
  assert.deepEqual(await changes(first, present), []);
  assert.deepEqual(await read(first, first), [present, present]);
  assert.deepEqual(await update(first, present), present);
  await remove(first);
});

test("a state of a version between is migrated from there on", async () => {
  // `colour` is another property since version 2.
  const second: Properties = { color: "red", colour: "kept", weight: 1, [VERSION_PROPERTY]: 2 };
  const [inputs] = await read(second, second);
  assert.deepEqual(inputs, { color: "red", colour: "kept", [VERSION_PROPERTY]: 3 });
});

test("inputs and outputs may have different versions", async () => {
  assert.deepEqual(await read(present, first), [present, present]);
});

test("a partial failure keeps a state with a version", async () => {
  const failed = await create({ ...present, color: "none" }).catch((error) => error);
  const bytes: Buffer = failed.metadata.get("grpc-status-details-bin")[0];
  const times = bytes.toString("latin1").split(VERSION_PROPERTY).length - 1;
  assert.equal(times, 2, "once in the inputs and once in the outputs");
});

test("a newer state is refused by every call, with the next step", async () => {
  for (const version of [4, 17, "4", null, 0, 1.5]) {
    const newer: Properties = { ...present, [VERSION_PROPERTY]: version };
    const calls = {
      check: () => check(newer, { color: "red" }),
      diff: () => changes(newer, present),
      read: () => read(newer, newer),
      update: () => update(newer, present),
      delete: () => remove(newer),
    };
    for (const [name, call] of Object.entries(calls))
      await assert.rejects(
        call,
        /a newer groundplane wrote the state of this resource: it has (?:version (?:4|17)|a version that is no number), and this one reads up to version 3; nothing was changed\n {2}next step: use the clone that wrote it, or update this one/,
        `${name} of ${String(version)}`,
      );
  }
});

test("a resource type without migrations has no version, like that of another implementation", async () => {
  const { migrations: _migrations, ...plain } = thing;
  const unversioned = new ProviderServer(definition(plain));
  assert.deepEqual(await check(undefined, { color: "red" }, unversioned), { color: "red" });
});

test("every type of groundplane has a version", () => {
  for (const [token, { migrations }] of Object.entries(groundplaneProvider.resources)) {
    const name = token.split(":")[2] as ResourceTypeName;
    assert.equal(versionAfter(migrations ?? assert.fail(token)), 1 + stateMigrations[name].length);
  }
});
