import { machineChanges, readAtCreation } from "../../model/change-classes";
import type { ObjectSchema, ResourceSchema } from "../rpc/package-schema";
import * as schemas from "./schemas";

const nic: ObjectSchema = {
  type: "object",
  name: "Nic",
  description: "One network interface.",
  properties: {
    segment: schemas.text("Segment that it is connected to."),
    name: schemas.text("Name in the guest."),
    mac: schemas.text(),
  },
};

const uplink: ObjectSchema = {
  type: "object",
  name: "Uplink",
  description: "The uplink of the data centre: user-mode NAT with port forwards on 127.0.0.1.",
  properties: {
    mac: schemas.text(),
    forwards: schemas.list({
      type: "object",
      name: "PortForward",
      properties: {
        hostPort: schemas.whole("Port on the host's 127.0.0.1."),
        guestPort: schemas.whole("Port on the machine's uplink address."),
      },
    }),
    reachable: schemas.list(schemas.text(), "Ranges of the host's networks that are open."),
  },
  optional: ["reachable"],
};

const diskAttachment: ObjectSchema = {
  type: "object",
  name: "DiskAttachment",
  properties: { disk: schemas.text("Name of the disk."), mountPoint: schemas.text("Mount point in the guest.") },
};

const volume: ObjectSchema = {
  type: "object",
  name: "Volume",
  description: "A volume of the system disk.",
  properties: {
    mountPoint: schemas.text(),
    sizeMiB: schemas.whole("MiB"),
    named: schemas.flag("Its size is configured; otherwise it is a share of the remaining space."),
  },
};

export const seed: ObjectSchema = {
  type: "object",
  name: "Seed",
  description: "The seed for cloud-init, with references to secrets.",
  properties: { userData: schemas.text(), metaData: schemas.text(), networkConfig: schemas.text() },
};

export const machineSchema: ResourceSchema = {
  description: "A virtual machine or system container.",
  inputs: {
    driver: schemas.driver,
    stack: schemas.stack,
    name: schemas.text("e.g. master-1"),
    roles: schemas.roles,
    uuid: schemas.text(),
    image: schemas.text("Name of its image."),
    cpus: schemas.whole(),
    memoryMiB: schemas.whole("MiB"),
    diskGiB: schemas.whole("GiB; can only grow."),
    volumes: schemas.list(volume, "The volumes on its disk, which can only grow. Virtual machines only."),
    nics: schemas.list(nic),
    uplink,
    disks: schemas.list(diskAttachment),
    shutdownSeconds: schemas.whole("Seconds that the guest may take to shut down before its power is cut."),
    seed,
    power: schemas.text("running; set by the provider, so that a stopped machine differs."),
    drift: schemas.list(schemas.text(), "Set by the provider: manual changes in the hypervisor."),
    secrets: {
      type: "map",
      values: schemas.text(),
      secret: true,
      description: "The secrets that the seed references, by name.",
    },
  },
  optional: ["uplink", "shutdownSeconds", "power", "drift", "volumes"],
  createOnly: readAtCreation(machineChanges),
  outputs: {
    image: schemas.text("Name of the image that it was made from."),
    generation: schemas.text("New per creation."),
  },
};
