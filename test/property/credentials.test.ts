import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ProgressLines } from "../../host/progress-lines";
import { CommandError } from "../../model/commands";
import { UserError, withoutCredentials } from "../../model/user-error";
import { failureStatus, partialFailureStatus } from "../../provider/rpc/failure-status";
import { PartialFailure } from "../../provider/rpc/resource-handler";
import { UpReport } from "../../toolchain/run-pulumi/up-report";

/** What a URL takes before its host, also without percent encoding; recognizable in a text. */
const secret = fc.stringMatching(/^s3cret[A-Za-z0-9!$%&'()*+,;=:@._~-]{0,12}$/);
const user = fc.stringMatching(/^[A-Za-z0-9._~%-]{0,8}$/);
const host = fc.constantFrom("proxy.example:3128", "127.0.0.1:9", "registry.example/path@v1", "[fd00::1]:8080", "host");
const scheme = fc.constantFrom("http", "https", "HTTP", "socks5h", "ftp", "ssh", "git+https");
const around = fc.constantFrom("", " ", "(", "'", '"', "proxy=", "cannot reach ", "\n", "a@b.example ");

const withCredentials = fc
  .record({ scheme, user, secret, host, before: around, after: around })
  .map((url) => `${url.before}${url.scheme}://${url.user}:${url.secret}@${url.host}${url.after}`);

const texts = fc.array(withCredentials, { minLength: 1, maxLength: 3 }).map((each) => each.join(" and "));

const hides = (shown: (text: string) => string): void =>
  fc.assert(fc.property(texts, (text) => assert.doesNotMatch(shown(text), /s3cret/)));

test("no message of an error holds the credentials of a URL", () => {
  hides((text) => {
    const { message, problem, hint } = new UserError("network", text, text);
    return message + problem + hint;
  });
  hides((text) => new CommandError(["curl", text], 1, text, text, `failed at ${text}`).message);
});

test("nothing that the provider reports holds them", () => {
  hides((text) => failureStatus(new Error(text)).details ?? "");
  hides((text) => failureStatus(text).details ?? "");
  hides((text) => {
    const failure = new PartialFailure(text, { id: "x", inputs: {}, outputs: {} });
    const { details, metadata } = partialFailureStatus(failure, [], false);
    return `${details}${metadata?.get("grpc-status-details-bin").join("")}`;
  });
});

test("neither progress nor the log of a run holds them, also where a line is cut", () => {
  hides((text) => {
    let written = "";
    const lines = new ProgressLines({ write: (part) => (written += part), isTerminal: true, now: () => 0 });
    lines.note(text);
    lines.status(text.padStart(text.length + 60));
    return written;
  });
  hides((text) => {
    const shown: string[] = [];
    const report = new UpReport({ note: (line) => shown.push(line), status: (line) => shown.push(line) });
    report.read(text);
    for (const severity of ["warning", "error", "info"])
      report.read(JSON.stringify({ sequence: 1, diagnosticEvent: { message: text, severity, ephemeral: true } }));
    return [...shown, ...report.log, report.problems].join("\n");
  });
});

test("a token in place of the user is hidden, and the user of an SSH address is not", () => {
  assert.equal(withoutCredentials("https://s3cret@registry.example/x"), "https://***@registry.example/x");
  assert.equal(withoutCredentials("clone ssh://git@host.example/x"), "clone ssh://git@host.example/x");
});

test("a text without credentials does not change", () => {
  const harmless = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.emailAddress(),
    fc.constant("https://proxy.golang.org/golang.org/toolchain/@v/v0.0.1-go1.26.8.linux-amd64.zip"),
    fc.constant("docker://registry.example/image@sha256:00"),
  );
  fc.assert(
    fc.property(fc.array(harmless, { maxLength: 4 }), (parts) => {
      const text = parts.join(" ");
      assert.equal(withoutCredentials(text), text);
    }),
  );
});
