import { connectAnyGuest } from "../guests/connect-guest";
import { driverByName } from "../hypervisors/driver-by-name";
import type { ResourceTypeName } from "../model/resource-types";
import { birthResource } from "./resources/birth";
import { clusterSecretsResource } from "./resources/cluster-secrets";
import { diskResource } from "./resources/disk";
import { dismantlingResource } from "./resources/dismantling";
import { guardResource } from "./resources/guard";
import { imageResource } from "./resources/image";
import { machineResource } from "./resources/machine";
import { membershipResource } from "./resources/membership";
import { nodeFilesResource } from "./resources/node-files";
import { segmentResource } from "./resources/segment";
import { resourceHandler } from "./resources/typed-resource";
import type { ProviderDefinition, ResourceHandler } from "./rpc/resource-handler";

const handlers: Readonly<Record<ResourceTypeName, ResourceHandler>> = {
  Segment: resourceHandler(segmentResource(driverByName)),
  Image: resourceHandler(imageResource(driverByName)),
  Disk: resourceHandler(diskResource(driverByName)),
  Machine: resourceHandler(machineResource(driverByName)),
  ClusterSecrets: resourceHandler(clusterSecretsResource()),
  Birth: resourceHandler(birthResource(connectAnyGuest)),
  Membership: resourceHandler(membershipResource(connectAnyGuest, driverByName)),
  NodeFiles: resourceHandler(nodeFilesResource(connectAnyGuest)),
  Guard: resourceHandler(guardResource(driverByName)),
  Dismantling: resourceHandler(dismantlingResource()),
};

/** The resource types of groundplane, `groundplane:index:<Name>`. */
export const groundplaneProvider: ProviderDefinition = {
  name: "groundplane",
  version: "0.1.0",
  resources: Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [`groundplane:index:${name}`, handler]),
  ),
};
