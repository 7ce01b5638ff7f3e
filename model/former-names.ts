/**
 * Names of earlier versions that existing stacks still hold: in Pulumi's state, on the disks of nodes and in
 * configuration files. This is the only place that spells them.
 */

/** By the present name of the resource type. */
export const formerResourceNames = {
  Bootstrap: { type: "Birth", name: "birth", properties: { rebirth: "rebootstrap", bornWith: "bootstrappedWith" } },
} as const;

/** Settings that machines no longer have, in the state and in the drivers' records: a share of CPU, the same for all. */
export const formerMachineProperties = { cpuWeight: null } as const;

/** Each join makes its own token; it was one of the stack. */
export const formerMembershipProperties = { bootstrapToken: null } as const;

/** Present and former names of guest commands. A node has the former one until its `NodeFiles` are updated. */
export const formerGuestCommands: Readonly<Record<string, string>> = { "bootstrap-cluster": "give-birth" };

/** Field managers that applied the data centre's objects in the cluster: kubeadm, and kubectl on a master. */
export const formerFieldManagers: readonly string[] = ["kubeadm", "kubectl"];

/** Former and present path of configuration keys. */
export const formerConfigurationKeys: Readonly<Record<string, string>> = {
  "options.rebirth": "options.rebootstrap",
};
