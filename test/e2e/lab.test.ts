/**
 * The complete life cycle of a highly available data centre, on real machines: bootstrapped, used, damaged, repaired,
 * scaled up and down, destroyed, and bootstrapped again on its retained disks. Each step builds on the previous one.
 */

import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { watchCommandLines } from "../support/command-line-watch";
import { compareListings, type HostListing, listHost } from "../support/host-listing";
import { onSignal } from "../support/on-signal";
import { copyProject } from "../support/project-copy";
import { occurrencesOfSecrets, secretsOf } from "../support/secret-scan";
import {
  type LabSettings,
  type LabUnderTest,
  problemsOf,
  type Step,
  secondsSince,
  stopClients,
  up,
  waitForReadyNodes,
  writeStackFile,
} from "./lab-under-test";
import { benchmarkIsKept } from "./steps/benchmark";
import { hardKillsAreSurvived, hostRestarts, lostMasterIsReplaced } from "./steps/break-and-repair";
import * as files from "./steps/changed-files";
import * as objects from "./steps/cluster-objects";
import { contractIsKept, protectedIsLeftAlone } from "./steps/contract";
import * as doors from "./steps/doors";
import { noJoinTokenRemains, workerIsAddedAlone, workerIsRemoved } from "./steps/grow-and-shrink";
import { injectedFaultsAreNamed } from "./steps/health";
import * as promises from "./steps/kubernetes-promises";
import * as machines from "./steps/machines";
import { firstMasterIsReplacedOnDemand, mastersBecomeOneAndThreeAgain } from "./steps/masters";
import { onlyListedFlowsPass, unknownHostGetsLeaseAndName } from "./steps/network";
import * as serving from "./steps/serving-certificates";
import * as storage from "./steps/storage";
import * as use from "./steps/use-cluster";

const skip = process.getuid?.() === 0 ? false : "system containers need root";

test("the life cycle of a lab", { skip, timeout: 70 * 60_000 }, async (t) => {
  const project = copyProject(dataFolder());
  process.env.GROUNDPLANE_DATA = project.data;
  const cluster = new ClusterUnderTest(project, "e2e");
  const commandLines = watchCommandLines();
  let apiPort = 0;
  let settings: LabSettings = { masters: 3, workers: 2, failover: "fast" };
  let secrets: ReadonlyMap<string, string> = new Map();
  let before: HostListing = {};
  const lab: LabUnderTest = {
    cluster,
    driver: createNspawnDriver(localHost),
    apiPort: () => apiPort,
    configure: (change) => {
      settings = { ...settings, ...change };
      writeStackFile(cluster, settings);
    },
  };
  let takenDown: Promise<void> | undefined;
  const takeDown = async () => {
    commandLines.stop();
    await cluster.interrupt();
    const { exitCode, stdout, stderr } = await new ClusterUnderTest(project, "e2e").groundplane("destroy", "--yes");
    if (exitCode === 0) project.remove();
    else console.error(`the lab of ${project.data} could not be taken down\n${stdout}${stderr}`);
  };
  const takeDownOnce = () => (takenDown ??= takeDown());
  onSignal(takeDownOnce);
  after(takeDownOnce);

  const start: Step = async (_, step) => {
    lab.configure({});
    before = listHost(project.data);
    const started = performance.now();
    mustSucceed("groundplane start", await cluster.groundplane("start", "--yes"));
    step.diagnostic(`start took ${secondsSince(started)}`);
    const endpoint = mustSucceed("output", await cluster.pulumi("stack", "output", "apiEndpoint")).stdout.trim();
    apiPort = Number(new URL(endpoint).port);
    secrets = await secretsOf(cluster);
    assert.ok(secrets.size >= 9, "the state holds the stack's secrets");
  };
  const noSecretInTheClear: Step = async () => {
    const searched = { transcript: cluster.transcript, commandLines: commandLines.seen(), data: project.data };
    assert.deepEqual(occurrencesOfSecrets(secrets, searched), []);
  };
  const nothingRemains: Step = async (_, step) => {
    mustSucceed("write to a data disk", await cluster.onNode("storage-1", "echo kept > /data/brick/note && sync"));
    const started = performance.now();
    mustSucceed("groundplane destroy", await cluster.groundplane("destroy", "--yes"));
    step.diagnostic(`destroy took ${secondsSince(started)}`);
    const kept = /^new files: (state|pulumi|disks|passphrase|version\.json)/;
    const left = async () => compareListings(before, listHost(project.data)).filter((line) => !kept.test(line));
    // Other test files run beside this one, and their temporary mounts disappear.
    await eventually("nothing is left", patienceMs, left, (lines) => lines.length === 0);
  };
  const upAgain: Step = async () => {
    await up(lab);
    await waitForReadyNodes(lab, 5);
    const note = mustSucceed("read from the disk", await cluster.onNode("storage-1", "cat /data/brick/note"));
    assert.equal(note.stdout.trim(), "kept");
  };

  const scenario: readonly (readonly [string, Step])[] = [
    ["start creates the lab", start],
    ["every node is Ready and every pod runs", use.everythingIsReady],
    ["a second up changes nothing", use.nothingToDo],
    ["no join token remains", noJoinTokenRemains],
    ["a Service responds by name to a pod on another node", use.serviceAnswersByName],
    ["scheduler and controller-manager have one leader each, and etcd has three members", use.oneLeaderEach],
    ["Secrets are encrypted in etcd, and requests are in the audit log", use.secretsAreSealedAndRequestsAudited],
    ["a kubelet's serving certificate is rotated", serving.servingCertificateIsRotated],
    ["a wrong request for a serving certificate is denied with the reason", serving.wrongServingRequestIsDenied],
    ["the approver of serving certificates may do nothing else", serving.approverMayOnlyApprove],
    ["serving certificates are approved after all API servers restarted", serving.approverSurvivesRestartsOfTheApi],
    ["deleted and changed cluster objects are named by a preview, and up restores them", objects.objectsComeBack],
    ["an object that a release no longer has is deleted", objects.droppedObjectIsDeleted],
    ["only listed flows pass between segments", onlyListedFlowsPass],
    ["pods use the newest features of the container runtime", promises.newestPodFeaturesWork],
    ["a NetworkPolicy is enforced", promises.networkPolicyIsEnforced],
    ["every node reaches every node's pods, host network and NodePorts", promises.everyNodeReachesEveryNode],
    ["pods reach neither the management of nodes nor storage machines", doors.podsReachNoManagement],
    ["a pod has the runtime's seccomp profile and a limit of processes", doors.podsAreConfined],
    ["a namespace's label replaces the default for its pods", doors.labelReplacesTheDefault],
    ["the CIS benchmark's controls are kept", benchmarkIsKept],
    ["a host outside the plan gets a lease and a name", unknownHostGetsLeaseAndName],
    ["pods on two nodes write to one claim", storage.claimIsWrittenFromTwoNodes],
    ["a claim grows", storage.claimGrows],
    ["an unmounted volume's folder accepts no files", storage.nothingLandsBesideTheVolume],
    ["a claim is refused while the volume is not mounted", storage.claimIsRefusedWithoutTheVolume],
    ["a deleted claim's folder is deleted", storage.deletedClaimTakesItsFolder],
    [
      "a lost storage machine is replaced and gets its data from the other copies",
      storage.lostStorageMachineIsReplaced,
    ],
    ["the volume survives a restart of all storage machines", storage.allStorageMachinesRestart],
    ["nodes have the processors, memory and storage of the plan", machines.nodesHaveWhatThePlanSays],
    ["a pod that is too large waits, and one over its limit is killed alone", machines.podsAreHeldToIt],
    ["pods get their grace when their node reboots and when the stack stops", machines.podsGetTheirGrace],
    ["pods of a fenced node move with their volumes, and its return ends the fence", machines.fencedPodsMove],
    ["the lab meets the contract", contractIsKept],
    ["no fault is injected into a protected stack", protectedIsLeftAlone],
    ["status names every injected fault, and masters renew their certificates", injectedFaultsAreNamed],
    ["changed files reach balancers and masters one after the other", files.changesRoll],
    ["a file that its program refuses stops the roll, and so does a file that breaks the service", files.mistakesStop],
    ["the lab survives hard kills of a balancer and a master, and up repairs them", hardKillsAreSurvived],
    ["a new worker is added without changes to other machines", workerIsAddedAlone],
    ["the worker is drained and removed", workerIsRemoved],
    ["a lost master is replaced", lostMasterIsReplaced],
    ["the first master is replaced on demand", firstMasterIsReplacedOnDemand],
    ["one up reduces the masters to one, and another restores three", mastersBecomeOneAndThreeAgain],
    ["the lab and its data survive a restart of the host", hostRestarts],
    ["no secret is stored or shown in plain text", noSecretInTheClear],
    ["destroy leaves nothing except the retained disks", nothingRemains],
    ["up creates the lab again on the retained data disks", upAgain],
  ];
  let broken = "";
  const runStep = async (name: string, step: Step, inner: TestContext): Promise<void> => {
    try {
      await step(lab, inner).finally(stopClients);
    } catch (error) {
      const problems = await problemsOf(lab, inner);
      if (problems !== "") broken = `the lab is unhealthy since "${name}": ${problems}`;
      throw error;
    }
  };
  for (const [name, step] of scenario)
    await t.test(name, (inner: TestContext) => (broken === "" ? runStep(name, step, inner) : inner.skip(broken)));
});
