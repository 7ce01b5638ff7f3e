import { guestCommand } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import type { UnitExplanation } from "./explanation";

const services = "services" as const;

/** Units of cluster nodes and machines with etcd, by name. */
export const kubernetesUnits: Readonly<Record<string, UnitExplanation>> = {
  "containerd.service": {
    why: "It runs the containers of pods, also those of the control plane where it is static pods.",
    shown: "crictl ps",
    checks: [services, "nodes"],
    faults: ["worker-kill"],
  },
  "docker.service": {
    why: "It runs the containers of pods where the configuration asks for Docker.",
    shown: "docker ps",
    checks: [services, "nodes"],
    faults: ["worker-kill"],
  },
  "cri-dockerd.service": {
    why: "The kubelet speaks CRI, and Docker does not: this program translates.",
    shown: "crictl info",
    checks: [services, "nodes"],
  },
  "kubelet.service": {
    why: "It starts the pods that the API gives its node, and those of the folder of static pods without asking the API: so a control plane starts before there is an API.",
    shown: `curl -s http://127.0.0.1:${ports.kubeletHealth}/healthz`,
    checks: ["nodes", services],
    faults: ["worker-kill", "master-kill"],
  },
  "groundplane-pods.service": {
    why: "When a machine stops, it ends the pods in order before the network ends, so that etcd and clients lose nothing.",
    checks: [services],
    faults: ["all-stopped"],
  },
  "groundplane-pod-filter.service": {
    why: "A pod has its node's address outside the node, so only the node itself can tell pods apart. It closes the management of all machines to them.",
    shown: "nft list table inet groundplane_pods",
    checks: ["firewall"],
  },
  "groundplane-cluster.service": {
    why: "It takes the machine into the cluster as its order says, and continues where it stopped when the machine restarts meanwhile.",
    shown: guestCommand("cluster-status"),
    checks: [services, "nodes"],
  },
  "groundplane-approve-serving-certificates.service": {
    why: "A kubelet asks for the certificate of its server. Kubernetes approves none by itself; this unit approves those that match a planned node.",
    checks: ["certificates"],
  },
  "groundplane-renew-certificates.service": {
    why: "Certificates of the control plane are valid for a year. They are renewed long before, without an upgrade.",
    checks: ["certificates"],
  },
  "groundplane-renew-certificates.timer": {
    why: "It starts groundplane-renew-certificates.service every hour, on each master at another minute.",
    shown: "systemctl list-timers groundplane-renew-certificates.timer",
    checks: ["certificates"],
  },
  "groundplane-release-fences.service": {
    why: "A fenced node is closed to pods. This unit opens it again after its machine has booted, because its old pods are gone then.",
    checks: ["nodes"],
  },
  "groundplane-backup.service": {
    why: "It takes a snapshot of etcd, encrypts it and writes it to the volume or a data disk.",
    checks: ["backups"],
  },
  "groundplane-backup.timer": {
    why: "It looks far more often than a backup is due, so that no failure and no reboot costs a period.",
    shown: "systemctl list-timers groundplane-backup.timer",
    checks: ["backups"],
  },
  "groundplane-etcd-proxy.service": {
    why: "Where etcd has machines of its own, each API server connects to this proxy on its own machine, which leaves a dead member at once.",
    checks: ["api-servers"],
    faults: ["etcd-kill", "etcd-leader-kill"],
  },
  "groundplane-programs.service": {
    why: "A control plane of services runs the same programs as one of pods: they are taken out of the same container images.",
    checks: [services],
  },
  "groundplane-manifests.service": {
    why: "kubeadm writes manifests of static pods. This unit restarts the services whose manifest or files have changed, as a kubelet would.",
    checks: [services],
  },
  "etcd.service": {
    why: "The member of etcd of this machine, as a service instead of a static pod.",
    shown: `curl -s http://127.0.0.1:${ports.etcdMetrics}/health`,
    checks: ["etcd-members", "etcd-leader"],
    faults: ["etcd-crash", "etcd-leader-kill"],
  },
  "kube-apiserver.service": {
    why: "The API server of this master, as a service instead of a static pod.",
    checks: ["api-servers", "api"],
    faults: ["kube-apiserver-crash"],
  },
  "kube-controller-manager.service": {
    why: "The controller manager of this master, as a service instead of a static pod. One of all masters leads.",
    checks: ["leaders"],
    faults: ["kube-controller-manager-crash"],
  },
  "kube-scheduler.service": {
    why: "The scheduler of this master, as a service instead of a static pod. One of all masters leads.",
    checks: ["leaders"],
    faults: ["kube-scheduler-crash"],
  },
};
