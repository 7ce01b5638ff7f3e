import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hypervisor } from "../../../../hypervisors/hypervisor";
import {
  completeGuardRecord,
  endTransition,
  markInTransition,
  refuseUnsafeLoss,
  writeGuardRecord,
} from "../../../../provider/resources/guard-record";
import { forgetLeft, noteLeft } from "../../../../provider/resources/left-members";
import { ownDataFolder } from "../../../support/own-data-folder";

ownDataFolder();
const stack = "lab";
const masters = ["master-1", "master-2", "master-3"];
const machine = (name: string) => ({ stack, name });

/** All machines run. */
const hypervisor = (rolling?: string) =>
  ({
    inspectMachine: async ({ name }: { name: string }) => ({
      power: "running",
      ...(name === rolling && { formerImage: "kubernetes-a" }),
    }),
  }) as unknown as Hypervisor;

const lose = (rolling?: string) => refuseUnsafeLoss(hypervisor(rolling), machine("master-2"));
const refusal = /master-2 cannot be removed now: .* only master-3 would be running, and 2 must be/;

test("a member between two disks is away, although it runs", async () => {
  await writeGuardRecord(stack, { masters, balancers: [], storage: [], replicas: 0 });
  await completeGuardRecord(stack);
  await lose();
  await assert.rejects(lose("master-1"), refusal, "its former disk is aside");
  await noteLeft(machine("master-1"), { from: "kubernetes-a" });
  await assert.rejects(lose(), refusal, "it has left etcd");
  await forgetLeft(machine("master-1"));
  await lose();
});

test("a member that this operation has started counts when it works", async () => {
  markInTransition(machine("master-1"));
  await assert.rejects(lose(), refusal);
  endTransition(machine("master-1"));
  await lose();
});
