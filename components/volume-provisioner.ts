import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { StorageBackend } from "../cloud-init/storage-backend";
import { guestPaths } from "../model/guest-paths";
import { firstMaster } from "../stacks/plan/data-center-plan";
import type { PoolArgs } from "./machine-pool";
import { remoteConnection } from "./remote-command";
import type { Bootstrap } from "./resources";
import { timeLimits } from "./time-limits";

export interface VolumeProvisionerArgs extends Pick<PoolArgs, "plan" | "secrets" | "slowdown"> {
  readonly backend: StorageBackend;
  /** The cluster that it is applied to. */
  readonly bootstrap: Bootstrap;
}

/** The storage backend's objects in the cluster, which provision volumes for claims. */
export class VolumeProvisioner extends pulumi.ComponentResource {
  constructor(name: string, args: VolumeProvisionerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:VolumeProvisioner", name, {}, opts);
    const { plan, secrets, bootstrap } = args;
    const kubectl = `kubectl --kubeconfig ${guestPaths.adminKubeconfig}`;
    const apply = `${kubectl} apply --server-side --force-conflicts --validate=false -f - >/dev/null`;
    // The API may be restarting, or its address may be moving to another balancer.
    const patiently = `objects=$(cat); for s in 1 1 2 2 4 4 8; do echo "$objects" | ${apply} && exit 0; sleep $s; done; exit 1`;
    new command.remote.Command(
      `${name}-objects`,
      {
        connection: remoteConnection(plan, firstMaster(plan), secrets),
        create: patiently,
        stdin: args.backend.manifest(plan),
        logging: "stderr",
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [bootstrap], customTimeouts: timeLimits(args.slowdown, { create: 5, update: 5 }) },
    );
    this.registerOutputs({});
  }
}
