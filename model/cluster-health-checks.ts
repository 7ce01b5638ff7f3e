import { toleratedPeriods } from "./backups";
import { guestCommand, volumeName } from "./guest-paths";
import { etcdFullPercent, etcdSlowWriteMs, type HealthCheck, logs } from "./health-check";

const onMaster = `on a master (\`npx groundplane ssh master-1\`): \`. ${guestCommand("etcd-command")}\`, then`;

export const etcdChecks = {
  "etcd-members": {
    ...{ asks: "every planned member takes part, and no other", of: ["etcd"], promised: true },
    means: "the next loss of a member may cost the quorum, and with it all writes",
    next: "`npx groundplane start` repairs the machine; it removes and joins a member whose machine was recreated",
  },
  "etcd-learners": {
    ...{ asks: "no member is left as a learner", of: ["etcd"], promised: true },
    means: "a join has stopped halfway: the member does not vote, and no other master can join",
    next: `\`npx groundplane start\` finishes the join; else ${onMaster} \`etcd "$local_etcd" member remove ID\``,
  },
  "etcd-leader": {
    ...{ asks: "all members know the same leader", of: ["etcd"], promised: true },
    means: "etcd accepts no writes: nothing in the cluster can change",
    next: "the rows etcd-members and clock show the reason; two of three members must reach each other",
  },
  "etcd-alarms": {
    ...{ asks: "no member has raised an alarm", of: ["etcd"], promised: true },
    means:
      "NOSPACE: etcd refuses all writes, although reads and health endpoints work. CORRUPT: a member has other data",
    next: `NOSPACE: ${onMaster} \`etcd "$local_etcd" defrag --cluster\` and \`etcd "$local_etcd" alarm disarm\``,
  },
  "etcd-size": {
    ...{ asks: `the database is smaller than ${etcdFullPercent} % of its quota`, of: ["etcd"], promised: true },
    means: "at its quota etcd raises the alarm NOSPACE and refuses all writes",
    next: `delete objects that are not needed, then ${onMaster} \`etcd "$local_etcd" defrag --cluster\``,
  },
  "etcd-disk": {
    ...{
      asks: `99 of 100 writes of the log reach the disk within ${etcdSlowWriteMs} ms`,
      of: ["etcd"],
      promised: false,
    },
    means: "the disk is slower than etcd's heartbeat: leaders change, and the API is slow",
    next: "reduce the load of the host's disk, or set `options: {failover: calm}`",
  },
  backups: {
    ...{ asks: `the newest backup is younger than ${toleratedPeriods} periods`, of: ["master"], promised: true },
    means: "after a loss of etcd, more than planned would be lost",
    next:
      "on the master: `journalctl --unit groundplane-backup` shows the reason, `systemctl start groundplane-backup` tries again; " +
      "with storage machines the row bricks shows whether their volume can be used",
  },
} as const satisfies Readonly<Record<string, HealthCheck>>;

export const clusterChecks = {
  leaders: {
    ...{ asks: "kube-scheduler and kube-controller-manager have a leader each", of: [], promised: true },
    means: "no pods are placed, or none are created and replaced",
    next: "`npx groundplane logs MASTER` of the masters shows why their static pods do not run",
  },
  nodes: {
    ...{ asks: "every planned Node is Ready, and there is no other", of: [], promised: true },
    means: "pods of the node run elsewhere or not at all",
    next:
      `${logs}; cordoned: \`kubectl uncordon NODE\`; a Node without a machine: \`kubectl delete node NODE\`; a taint: ` +
      "`kubectl taint node NODE TAINT-`",
  },
  pods: {
    ...{ asks: "every pod of the data centre is Ready", of: [], promised: true },
    means: "network, DNS or volumes of the cluster are incomplete",
    next: "`kubectl --namespace NAMESPACE describe pod POD` shows the reason",
  },
  "network-policies": {
    ...{
      asks: "every Node has the program that enforces NetworkPolicies, and its rules",
      of: ["master", "worker"],
      promised: false,
    },
    means: "NetworkPolicies do not protect the pods on the Node: its image is older, or the rules were deleted",
    next:
      "an older image: `pulumi up --replace URN` with the URN of its machine recreates it, one machine at a time; missing " +
      "rules: `kubectl --namespace kube-system rollout restart daemonset network-policies`",
  },
  metrics: {
    ...{ asks: "the API of metrics has those of every Node", of: [], promised: true },
    means: "`kubectl top` shows nothing, and workloads are not scaled by processor time and memory",
    next:
      "`kubectl --namespace kube-system logs deployment/metrics-server` shows the reason; a Node that has just joined has metrics after half " +
      "a minute",
  },
  "service-addresses": {
    ...{
      asks: "every Service of type LoadBalancer has an address, and with ready pods a node that answers for it",
      of: [],
      promised: true,
    },
    means: "clients outside the cluster do not reach the Service",
    next:
      "`kubectl describe service NAME` shows why it has no address; without a node: " +
      "`kubectl --namespace metallb-system logs daemonset/speaker` shows the reason",
  },
  registry: {
    ...{ asks: "the registry answers, and reads its images on the volume", of: [], promised: true },
    means: "images cannot be pushed, and no node gets one that it does not have",
    next:
      "`kubectl --namespace kube-system logs deployment/registry` and `describe pod` show the reason; the rows bricks and mounts show whether the " +
      "volume can be used",
  },
  "lost-pods": {
    ...{ asks: "no deleted pod waits for a node that does not respond", of: [], promised: false },
    means: "pods of StatefulSets do not start elsewhere, because they may still run on the lost node",
    next: "`npx groundplane start` brings the node back, `npx groundplane fence NODE` has its pods move",
  },
  "cluster-objects": {
    ...{ asks: "the data centre's objects in the cluster are as rendered", of: [], promised: true },
    means: "something that the data centre put into the cluster was deleted or changed",
    next: "`pulumi preview` shows the difference, `npx groundplane start` restores it",
  },
} as const satisfies Readonly<Record<string, HealthCheck>>;

export const storageChecks = {
  bricks: {
    ...{ asks: "every brick of the volume is served", of: ["storage"], promised: true },
    means: "a copy of the volume is missing: the next failure stops writes or loses data",
    next: `on a storage machine: \`gluster volume start ${volumeName} force\` starts a brick that has ended`,
  },
  heals: {
    ...{ asks: "all copies of the volume are complete", of: ["storage"], promised: true },
    means: "a copy lacks changes; it is filled from the others within a minute",
    next: `wait; if the number does not fall, \`gluster volume heal ${volumeName} info\` on a storage machine names the files`,
  },
  "split-brain": {
    ...{ asks: "the copies of every file agree", of: ["storage"], promised: true },
    means: "two copies of a file have different changes: reads of it fail",
    next: `on a storage machine: \`gluster volume heal ${volumeName} split-brain latest-mtime FILE\` keeps the latest copy`,
  },
  mounts: {
    ...{ asks: "the volume is mounted and responds", of: ["worker"], promised: true },
    means: "pods with a claim do not start on this worker, or hang",
    next: "on the worker: `systemctl restart groundplane-volume`",
  },
} as const satisfies Readonly<Record<string, HealthCheck>>;
