// Which press is which: one that got no answer keeps its key, so that pressing again asks for the same thing.

export class Presses {
  private readonly waiting = new Map<string, string>();

  constructor(private readonly draw: () => string) {}

  /** Return the key of a request: the one it had, while nobody has answered it. */
  key(request: string): string {
    const key = this.waiting.get(request) ?? this.draw();
    this.waiting.set(request, key);
    return key;
  }

  /** A request was answered, well or not: the next one like it is another. */
  answered(request: string): void {
    this.waiting.delete(request);
  }
}
