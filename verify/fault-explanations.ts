/** What a data centre does about each fault, by its name. `npx groundplane explain fault NAME` shows it with the measured figures. */
export const faultExplanations: Readonly<Record<string, string>> = {
  "balancer-kill":
    "Connections through the balancer end. The other members of Corosync or keepalived count it as dead after their timeout, and the other " +
    "balancer takes the floating IP and announces it to its neighbours. Clients that connect again reach the same address.",
  "planned-move":
    "The holder releases the floating IP and the other balancer takes it at once: no timeout has to pass. Connections that are open end, " +
    "and clients connect again.",
  "haproxy-crash":
    "systemd restarts HAProxy on the same balancer within 0.1 s. The floating IP stays where it is, because a restart is faster than a move.",
  "nginx-crash":
    "systemd restarts nginx on the same balancer within 0.1 s. The floating IP stays where it is, because a restart is faster than a move.",
  isolation:
    "A balancer that has lost its link is a minority: it releases the floating IP by itself, and the other one takes it. When the link is " +
    "back, nothing moves again.",
  partition:
    "The link of the holder is up, but nothing reaches the other members. With Corosync the holder loses the quorum and releases the " +
    "floating IP before the other balancer takes it. keepalived has no quorum, so for a time both hold it.",
  "master-kill":
    "Balancers find the master dead with their next checks and close its connections; the other masters answer. If it had the leader of " +
    "etcd, the remaining members elect another one, and until then no write is acknowledged. Leases of its scheduler and controller " +
    "manager expire, and another master continues.",
  "server-kill":
    "Each of two machines is balancer, master and member of etcd. The other one takes the floating IP, and its member of etcd has the " +
    "majority together with the gateway's.",
  "etcd-kill":
    "API servers lose their connection to this member and use another one. The remaining members are a majority; if the dead one led, " +
    "they elect another leader.",
  "etcd-leader-kill":
    "Followers hear no heartbeat for one to two election times, and the majority elects another leader. Reads from the API continue; " +
    "writes wait and are then acknowledged.",
  "quorum-loss":
    "One member of three is no majority: etcd acknowledges no write, and the API answers only what its caches have. Nothing is lost. " +
    "As soon as a second member is back, writes continue.",
  "worker-kill":
    "The kubelet's reports stop. After its silence the controller manager marks the node, its pods are deleted after their patience, and " +
    "their Deployments start others on the remaining workers.",
  "storage-kill":
    "Clients write to all copies themselves. A copy that acknowledges nothing counts as dead, and writes continue with the others. When " +
    "the machine is back, the copies fill it with what it missed.",
  "gateway-kill":
    "Segments are cut off from each other and from this host; inside a segment everything continues. The floating IP stays, because both " +
    "balancers are still a majority. When the gateway is back, connections continue.",
  "witness-kill":
    "The gateway is the third member of etcd beside two masters. Both masters are a majority without it; if it led, they elect another " +
    "leader.",
  "etcd-crash":
    "The kubelet, or systemd, starts etcd again on the same machine. Meanwhile the other members are a majority, and API servers use them.",
  "kube-apiserver-crash":
    "Balancers find that the master is not ready and leave it out; clients connect to another one. The kubelet, or systemd, starts the " +
    "API server again.",
  "kube-controller-manager-crash":
    "If it was the leader, its lease ends and another controller manager continues. No request of a user depends on it.",
  "kube-scheduler-crash":
    "If it was the leader, its lease ends and another scheduler continues. Pods that run are not concerned; new ones wait.",
  "idle-stream":
    "A watch may be silent for long. No balancer and no firewall between may end it, or clients would miss changes until they notice.",
  "all-stopped":
    "Machines stop in order, workers first and the gateway last, and start in parallel. The cluster is up again when etcd has a majority " +
    "and the kubelets have reported.",
  saturation:
    "All timers that detect failures compete with other programs for the processors. Nothing may count as dead that is only slow.",
};
