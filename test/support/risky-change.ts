import assert from "node:assert/strict";
import { type ClusterUnderTest, mustSucceed } from "./cluster-under-test";

/** A change that deletes an object and breaks a worker, so that only a snapshot brings both back. */
export function riskyChange(cluster: ClusterUnderTest) {
  const kubectl = async (...words: string[]): Promise<string> =>
    mustSucceed(words.join(" "), await cluster.kubectl("master-1", ...words)).stdout.trim();
  return {
    /** Writes what the change deletes. */
    prepare: () => kubectl("create", "configmap", "kept", "--from-literal=value=before"),
    deleteObject: () => kubectl("delete", "configmap", "kept"),
    async make(): Promise<void> {
      await this.deleteObject();
      const destroy = "rm -rf /usr/bin/kubelet /etc/kubernetes/kubelet.conf";
      mustSucceed("rm", await cluster.onNode("worker-1", destroy));
    },
    /** Fails if the object is not there. */
    async isTakenBack(): Promise<void> {
      assert.equal(await kubectl("get", "configmap", "kept", "--output", "jsonpath={.data.value}"), "before");
    },
  };
}
