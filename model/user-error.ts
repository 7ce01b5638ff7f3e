/** A failure with the next step. Every error that reaches a user is one of these. Its texts hold no credentials. */
export class UserError extends Error {
  readonly problem: string;
  readonly hint: string;

  constructor(
    readonly id: string,
    problem: string,
    hint: string,
    options?: { readonly cause?: unknown },
  ) {
    super(withoutCredentials(`${problem}\n  next step: ${hint}`), options);
    this.name = "UserError";
    this.problem = withoutCredentials(problem);
    this.hint = withoutCredentials(hint);
  }
}

/** User and password in front of a host, up to the last `@` of the part that names the host. */
const userInfo = /([a-z][a-z0-9+.-]*:\/\/)([^\s/?#"<>\\]*)@/gi;

/**
 * Replaces user and password in every URL of a text. A user alone stays where it is a name, as in `ssh://git@host`; in the
 * addresses of proxies and registries it may be a token.
 */
export const withoutCredentials = (text: string): string =>
  text.replace(userInfo, (whole, scheme: string, user: string) =>
    /^ssh:|^git\+ssh:/i.test(scheme) && !user.includes(":") ? whole : `${scheme}***@`,
  );
