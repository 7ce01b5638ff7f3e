import { connectAnyGuest } from "../guests/connect-guest";
import { refuseNewerData } from "../host/data-version";
import { localHost } from "../host/local-host";
import { rememberedDriver } from "../hypervisors/choice/stack-driver";
import { type DriverByName, driverByName } from "../hypervisors/driver-by-name";
import { stateMigrations } from "../model/formats";
import { formerResourceNames } from "../model/former-names";
import type { ResourceTypeName } from "../model/resource-types";
import { bootstrapResource } from "./resources/bootstrap";
import { clusterObjectsResource } from "./resources/cluster-objects";
import { clusterSecretsResource, type KeysOfStacks } from "./resources/cluster-secrets";
import { containerImagesResource } from "./resources/container-images";
import { diskResource } from "./resources/disk";
import { dismantlingResource } from "./resources/dismantling";
import { guardResource } from "./resources/guard";
import { HostKeys, notingNodes } from "./resources/host-keys";
import { imageResource } from "./resources/image";
import { machineResource } from "./resources/machine";
import { membershipResource } from "./resources/membership";
import { namingStack } from "./resources/name-stack";
import { nodeFilesResource } from "./resources/node-files";
import { nodeImageResource } from "./resources/node-image";
import { nodeTaskResource } from "./resources/node-task";
import { segmentResource } from "./resources/segment";
import { resourceHandler } from "./resources/typed-resource";
import { UserKeys } from "./resources/user-keys";
import type { ProviderDefinition, ResourceHandler } from "./rpc/resource-handler";

const userKeys = new UserKeys();
const hostKeys = new HostKeys();
const connect = userKeys.completing(hostKeys.completing(connectAnyGuest));
const keysOfStacks: KeysOfStacks = {
  note(values, stack) {
    userKeys.note(values);
    hostKeys.note(values, stack);
  },
};
const drivers: DriverByName = (name) => driverByName(name, localHost);

const handlers: Readonly<Record<ResourceTypeName, ResourceHandler>> = {
  Segment: resourceHandler(segmentResource(drivers)),
  Image: resourceHandler(imageResource(drivers)),
  Disk: resourceHandler(diskResource(drivers)),
  Machine: resourceHandler(machineResource(drivers)),
  ClusterSecrets: resourceHandler(
    clusterSecretsResource(drivers, (stack) => rememberedDriver(localHost, stack), keysOfStacks),
  ),
  Bootstrap: resourceHandler(bootstrapResource(connect)),
  Membership: resourceHandler(membershipResource(connect, drivers)),
  NodeFiles: resourceHandler(nodeFilesResource(connect)),
  NodeImage: resourceHandler(nodeImageResource(connect, drivers)),
  ClusterObjects: resourceHandler(clusterObjectsResource()),
  NodeTask: resourceHandler(nodeTaskResource(connect)),
  ContainerImages: resourceHandler(containerImagesResource(localHost, connect)),
  Guard: resourceHandler(guardResource(drivers)),
  Dismantling: resourceHandler(dismantlingResource()),
};

const resourceTypeNames = Object.keys(handlers) as readonly ResourceTypeName[];
const typeToken = (name: string): string => `groundplane:index:${name}`;

/** The resource types of groundplane, `groundplane:index:<Name>`. */
export const groundplaneProvider: ProviderDefinition = {
  name: "groundplane",
  version: "0.1.0",
  configure: () => refuseNewerData(),
  resources: Object.fromEntries(
    resourceTypeNames.map((name) => [
      typeToken(name),
      namingStack({ ...notingNodes(handlers[name], hostKeys), migrations: stateMigrations[name] }),
    ]),
  ),
  formerTypes: Object.fromEntries(
    Object.entries(formerResourceNames).map(([name, { type }]) => [typeToken(type), typeToken(name)]),
  ),
};
