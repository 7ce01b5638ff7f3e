import { guestCommand } from "../../../model/guest-paths";
import type { VolumePlan } from "../../../stacks/plan/data-center-plan";
import { commandFile } from "../../guest-command";
import type { RoleContent } from "../../role-content";
import type { StorageBackend } from "../../storage-backend";
import { volumeMountNames, volumeMountUnits, volumeUnit } from "./gluster-client";
import { brickUnit, glusterdIdentity, glusterdPeers, glusterdUnit } from "./gluster-server";
import { provisionerObjects } from "./provisioner-objects";
import { volumeOptions } from "./volume-options";

/** Volumes are folders of one Gluster volume that every worker mounts; local-path-provisioner creates the folders. */
export const glusterBackend = (volume: VolumePlan): StorageBackend => ({
  server: (_plan, node) => {
    const brick = volume.bricks.find((each) => each.node === node.name);
    if (!brick) throw new Error(`${node.name} has no brick`);
    return {
      files: [
        ...(["form-storage-pool", "adopt-brick"] as const).map((name) => commandFile(`storage/${name}`)),
        glusterdIdentity(brick),
        ...glusterdPeers(volume, brick),
        glusterdUnit(brick),
        brickUnit,
      ],
      environment: {
        VOLUME_NAME: volume.name,
        VOLUME_TYPE: volumeTypes[volume.shape],
        VOLUME_BRICKS: volume.bricks.map(({ address, folder }) => `${address}:${folder}`).join(" "),
        VOLUME_OPTIONS: volumeOptions(volume).join(" "),
        BRICK: `${brick.address}:${brick.folder}`,
        BRICK_FOLDER: brick.folder,
      },
      // Before Gluster's first start: it resolves the folders of bricks only when they are added.
      commands: [["mkdir", "-p", brick.folder]],
      enable: ["glusterd.service", "groundplane-brick.service"],
    };
  },
  client: (_plan, node) => (node.roles.includes("worker") ? mountedVolume(volume) : floorOnly(volume)),
  objects: (plan) => provisionerObjects(plan.kubernetes.version, volume),
  formPool: [guestCommand("form-storage-pool")],
});

const mountedVolume = (volume: VolumePlan): RoleContent => ({
  files: [commandFile("storage/keep-volume-mounted"), ...volumeMountUnits(volume), volumeUnit],
  environment: {
    VOLUME_MOUNT_POINT: volume.mountPoint,
    VOLUME_SERVERS: volume.bricks.map(({ address }) => address).join(" "),
  },
  commands: [],
  enable: [...volumeMountNames(volume), "groundplane-volume.service"],
});

/** A pod with a volume on a master finds no space there, instead of using the master's own disk. */
const floorOnly = (volume: VolumePlan): RoleContent => ({
  files: volumeMountUnits(volume).slice(0, 1),
  commands: [],
  enable: volumeMountNames(volume).slice(0, 1),
});

/** Arguments of `gluster volume create`. */
const volumeTypes: Readonly<Record<VolumePlan["shape"], string>> = {
  single: "",
  "replica-3": "replica 3",
  arbiter: "replica 3 arbiter 1",
};
