import assert from "node:assert/strict";
import { test } from "node:test";
import { renderSshConfig, sshWords } from "../../../guests/ssh-files";

const node = (name: string, address: string) => ({
  name,
  role: "any",
  address,
  fqdn: `${name}.lab.internal`,
  macs: [],
  hostKey: "ssh-ed25519 AAAA",
});

test("nodes are reached by name through the gateway, and no other keys or hosts are trusted", () => {
  const config = renderSshConfig(
    { config: "/data/100% mine/config", key: "/data/100% mine/key", knownHosts: "/data/known_hosts" },
    {
      gatewaySsh: { host: "127.0.0.1", port: 20_001, hostKey: "ssh-ed25519 AAAA" },
      inventory: [node("gateway", "192.168.56.1"), node("master-1", "192.168.57.11")],
    },
    "linux",
  );
  assert.equal(
    config,
    `Host gateway
  HostName 127.0.0.1
  Port 20001

Host master-1
  HostName 192.168.57.11
  ProxyCommand ssh -F '/data/100%% mine/config' -W "[%h]:%p" gateway

Host *
  User root
  IdentityFile "/data/100%% mine/key"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "/data/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 15
  LogLevel ERROR
`,
  );
});

test("a command is passed to ssh with its own dashes", () => {
  const expected = ["ssh", "-F", "/c", "master-1", "--", "ls", "--", "-x"];
  assert.deepEqual(sshWords("/c", "master-1", ["ls", "--", "-x"]), expected);
  assert.deepEqual(sshWords("/c", "master-1", []), ["ssh", "-F", "/c", "master-1"]);
});

test("Windows paths are written with forward slashes, which ssh does not interpret", () => {
  const files = {
    config: "C:\\Users\\Ada L\\config",
    key: "C:\\Users\\Ada L\\key",
    knownHosts: "/data/with\\backslash",
  };
  const outputs = {
    gatewaySsh: { host: "127.0.0.1", port: 20_001, hostKey: "ssh-ed25519 AAAA" },
    inventory: [node("master-1", "192.168.57.11")],
  };
  const config = renderSshConfig(files, outputs, "win32");
  assert.match(config, /IdentityFile "C:\/Users\/Ada L\/key"/);
  assert.match(config, /UserKnownHostsFile "\/data\/with\\backslash"/);
  assert.match(config, /ProxyCommand ssh -F "C:\/Users\/Ada L\/config" -W "\[%h\]:%p" gateway/);
});
