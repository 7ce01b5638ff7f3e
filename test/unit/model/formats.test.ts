import assert from "node:assert/strict";
import { test } from "node:test";
import {
  newerResource,
  type StoredResource,
  stateMigrations,
  VERSION_PROPERTY,
  versionAfter,
} from "../../../model/formats";
import { formerResourceNames } from "../../../model/former-names";

const stored = (type: string, version?: unknown): StoredResource => ({
  ...{ type, urn: `urn:pulumi:lab::groundplane::${type}::master-1` },
  ...{ inputs: {}, outputs: version === undefined ? {} : { [VERSION_PROPERTY]: version } },
});

test("states of this and earlier versions are no problem, nor resources of others", () => {
  const own = Object.entries(stateMigrations).flatMap(([name, migrations]) => {
    const type = `groundplane:index:${name}`;
    return [stored(type), ...Array.from({ length: versionAfter(migrations) }, (_, index) => stored(type, index + 1))];
  });
  const others = ["pulumi:pulumi:Stack", "command:local:Command", "groundplane:components:Network", ""];
  const former = stored(`groundplane:index:${formerResourceNames.Bootstrap.type}`);
  assert.equal(newerResource([...own, former, ...others.map((type) => stored(type, 99)), {}]), undefined);
});

test("a newer resource is named with its versions and the next step", () => {
  const known = versionAfter(stateMigrations.Machine);
  const message = new RegExp(
    `the state of the Machine master-1: it has version ${known + 1}, and this one reads up to version ${known};.*\n  next step: .*git pull`,
  );
  const problem = newerResource([stored("groundplane:index:Machine"), stored("groundplane:index:Machine", known + 1)]);
  assert.equal(problem?.id, "newer-data");
  assert.match(problem?.message ?? "", message);
});

test("a resource type of a newer version is named", () => {
  assert.match(newerResource([stored("groundplane:index:Router")])?.message ?? "", /no resource type Router/);
});
