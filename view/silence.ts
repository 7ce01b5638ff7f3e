/** Tells when signs of life stop for longer than a limit, and when they come again. */
export class Silence {
  private timer: NodeJS.Timeout | undefined;
  private isSilent = false;

  constructor(
    private readonly limitMs: number,
    private readonly tell: { readonly onSilent: () => void; readonly onHeard: () => void },
  ) {}

  heard(): void {
    this.expect(this.limitMs);
    if (!this.isSilent) return;
    this.isSilent = false;
    this.tell.onHeard();
  }

  /** The next sign may take so long. */
  expect(limitMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), limitMs);
  }

  /** Silent from now on, which the caller knows: only the next sign is told. */
  begin(): void {
    this.stop();
    this.isSilent = true;
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private end(): void {
    this.isSilent = true;
    this.tell.onSilent();
  }
}
