import * as fs from "node:fs";
import * as path from "node:path";
import { imagesFolder } from "../../../host/data-folder";
import type { Role } from "../../../model/roles";
import type { DataCenterPlan, NodePlan } from "../../../stacks/plan/data-center-plan";

const everyNode = [
  "cloud-init accepts user-data",
  "cloud-init accepts network-config",
  "cloud-init writes the files",
  "bytes are as rendered",
  "modes and owners are as rendered",
  "a shell reads node.env",
  "sshd accepts its configuration",
  "chronyd accepts its configuration",
];
const units = ["systemd accepts the units"];
const keepalived = "keepalived accepts its configuration";
const later = "pacemaker accepts its future configuration";
const podFilter = ["nft accepts the filter for pods"];
const cluster = ["corosync accepts its configuration", "pacemaker accepts its configuration"];

const kubeadmAccepts = (file: string): readonly string[] => [
  `kubeadm accepts ${file}`,
  `kubeadm accepts ${file} with longer limits`,
];

/** The proofs that each role needs. A proof that is silently left out fails the test. */
const proofs: Readonly<Record<Role, readonly string[]>> = {
  gateway: [...units, "dnsmasq accepts its configuration", "nft accepts the rules"],
  // And its program.
  balancer: units,
  master: [
    ...units,
    ...podFilter,
    ...kubeadmAccepts("control-plane.yaml"),
    ...kubeadmAccepts("init.yaml"),
    ...kubeadmAccepts("join.yaml"),
  ],
  // Of a machine of its own. A member on a master is checked together with it.
  etcd: [...units, "kubeadm accepts control-plane.yaml"],
  worker: [...units, ...podFilter, ...kubeadmAccepts("join.yaml")],
  storage: units,
};

/** The names of all proofs that a node needs. */
export function expectedProofs({ roles }: NodePlan, { balancing: { movedBy, program } }: DataCenterPlan): string[] {
  const isMember = roles.includes("gateway") || roles.includes("balancer");
  const member = movedBy === "pacemaker" && isMember;
  const isBalancer = roles.includes("balancer");
  const forwards = isBalancer ? [`${program} accepts its configuration`] : [];
  const byVrrp = movedBy === "keepalived" && isMember ? [...(isBalancer ? [keepalived] : []), later] : [];
  const ofRoles = roles.filter((role) => role !== "etcd" || !roles.includes("master")).flatMap((role) => proofs[role]);
  const proxy = roles.includes("master") && !roles.includes("etcd") ? ["haproxy accepts the proxy of etcd"] : [];
  const all = [...everyNode, ...ofRoles, ...proxy, ...forwards, ...(member ? cluster : []), ...byVrrp];
  // Roles of one machine may need the same proof.
  return [...new Set(all)];
}

/** The image's layers from top to bottom, without the layer that only containers need. */
export function layersOf(image: string): string[] {
  const folder = path.join(imagesFolder(), image);
  const { layers } = JSON.parse(fs.readFileSync(path.join(folder, "image.json"), "utf8")) as { layers: string[] };
  return layers
    .filter((layer) => layer !== "container")
    .map((layer) => fs.realpathSync(path.join(folder, "layers", layer)));
}
