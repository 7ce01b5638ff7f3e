/** A failure with the next step. Every error that reaches a user is one of these. */
export class UserError extends Error {
  constructor(
    readonly id: string,
    readonly problem: string,
    readonly hint: string,
    options?: { readonly cause?: unknown },
  ) {
    super(`${problem}\n  next step: ${hint}`, options);
    this.name = "UserError";
  }
}
