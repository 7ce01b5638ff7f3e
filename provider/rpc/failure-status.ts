import * as grpc from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { withoutCredentials } from "../../model/user-error";
import { encode } from "./property-values";
import type { PartialFailure } from "./resource-handler";

/** A failed call as a gRPC status. */
export function failureStatus(error: unknown): Partial<grpc.StatusObject> {
  const details = withoutCredentials(error instanceof Error ? error.message : String(error));
  return { code: grpc.status.UNKNOWN, details };
}

/**
 * A partial failure with the state for the engine to keep. It must repeat `refreshBeforeUpdate`: otherwise the engine drops
 * it until the next success and treats an incomplete object as complete.
 */
export function partialFailureStatus(
  failure: PartialFailure,
  secretPaths: Iterable<string>,
  refreshBeforeUpdate: boolean,
): Partial<grpc.StatusObject> {
  const paths = [...secretPaths];
  const detail = new ErrorResourceInitFailed();
  detail.setId(failure.state.id);
  detail.setReasonsList(failure.reasons.map(withoutCredentials));
  detail.setProperties(encode(failure.state.outputs, paths));
  detail.setInputs(encode(failure.state.inputs, paths));
  detail.setRefreshBeforeUpdate(refreshBeforeUpdate);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(grpc.status.UNKNOWN);
  const message = withoutCredentials(failure.message);
  status.setMessage(message);
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}
