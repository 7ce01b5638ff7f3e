import assert from "node:assert/strict";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntime } from "../../../toolchain/language-host/language-runtime";

test("requests to generate projects and SDKs are refused as not implemented, with the next step", async () => {
  const service = new LanguageRuntime("1.0.0", "").service() as Record<string, grpc.handleUnaryCall<unknown, unknown>>;
  for (const [method, what] of [
    ["generateProject", /does not generate projects; use an official Pulumi/],
    ["generatePackage", /does not generate SDKs; use an official Pulumi/],
  ] as const) {
    const error = await new Promise<Partial<grpc.StatusObject> | null>((resolve) =>
      service[method]?.({} as grpc.ServerUnaryCall<unknown, unknown>, (refusal) => resolve(refusal)),
    );
    assert.equal(error?.code, grpc.status.UNIMPLEMENTED, method);
    assert.match(error?.details ?? "", what);
  }
});
