import type { Stanzas } from "./explanation";

export const kubeadmStanzas: Stanzas = {
  apiVersion: "What the document is.",
  "localAPIEndpoint:": "Where the API server of this master is reached.",
  "discovery:": "How a node finds the cluster and knows that it is the right one: by the hash of its authority.",
  "nodeRegistration:": "How the kubelet joins: its name, its container runtime, its address.",
  "controlPlane:": "This node joins as a master.",
  "patches:": "Changes to the manifests that kubeadm writes.",
  "skipPhases:": "Steps of kubeadm that groundplane does in another way.",
  "timeouts:": "How long kubeadm waits.",
  "clusterName:": "Name and release, and the address that all clients know: the floating IP.",
  "networking:": "The addresses of pods and of Services, which no segment has.",
  "etcd:": "etcd, with the timers of `options.failover`.",
  "apiServer:": "The API server: names in its certificate, then its flags.",
  "controllerManager:": "The controller manager, with the silence after which a node counts as dead.",
  "scheduler:": "The scheduler.",
  "featureGates:": "Features that are switched on or off.",
  "---": "The next document of the file.",
};

export const kubeletStanzas: Stanzas = {
  apiVersion: "A part of the kubelet's configuration; later files win.",
  "systemReserved:": "What pods do not get: it is for the system.",
  "staticPodPath:": "The folder whose pods the kubelet starts without asking the API.",
  "featureGates:": "Features that are switched on or off.",
  "podPidsLimit:": "A pod cannot use up the processes of its node.",
  "seccompDefault:": "System calls that containers do not need are refused.",
  "tlsCipherSuites:": "Only ciphers without known weaknesses.",
  "nodeStatusUpdateFrequency:": "How often the kubelet reports.",
  shutdownGracePeriod: "groundplane-pods ends the pods instead.",
};

export const patchStanzas: Stanzas = {
  "[": "JSON patches of one manifest, applied by kubeadm: operation, place and value.",
};
