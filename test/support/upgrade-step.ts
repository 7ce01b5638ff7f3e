import assert from "node:assert/strict";
import { followsRelease } from "../../model/release-changes";
import { kubernetesVersions } from "../../model/releases";

/** The releases between which tests upgrade a stack: the newest, and the newest of the minor version before it. */
export const [to] = kubernetesVersions;

const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");

export const from =
  kubernetesVersions.find((version) => minorOf(version) !== minorOf(to) && followsRelease(version, to)) ??
  assert.fail("the table has one minor version");
