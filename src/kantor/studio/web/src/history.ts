// Undo as a tree: what was undone and then done otherwise is not lost, it is another branch.
export interface Moment<T> {
  readonly id: number;
  readonly parent: number | null;
  readonly label: string;
  readonly value: T;
}

const KEPT = 400;

export class History<T> {
  private moments = new Map<number, Moment<T>>();
  private next = 0;
  private at: number;
  /** The child that redo goes to: the one last visited. */
  private readonly towards = new Map<number, number>();

  constructor(value: T, label = "start") {
    this.at = this.put(null, value, label);
  }

  get current(): Moment<T> {
    return this.moments.get(this.at)!;
  }

  get canUndo(): boolean {
    return this.current.parent !== null;
  }

  get canRedo(): boolean {
    return this.redoTarget() !== undefined;
  }

  /** A change: a new child of the current moment. */
  push(value: T, label: string): Moment<T> {
    const parent = this.at;
    this.at = this.put(parent, value, label);
    this.towards.set(parent, this.at);
    this.prune();
    return this.current;
  }

  /** The current moment again, with another value: what has no need of an undo of its own. */
  amend(value: T): void {
    this.moments.set(this.at, { ...this.current, value });
  }

  undo(): Moment<T> {
    const { parent, id } = this.current;
    if (parent !== null) {
      this.towards.set(parent, id);
      this.at = parent;
    }
    return this.current;
  }

  redo(): Moment<T> {
    this.at = this.redoTarget() ?? this.at;
    return this.current;
  }

  /** Any moment of the tree; the way there becomes the way of redo. */
  visit(id: number): Moment<T> {
    if (!this.moments.has(id)) return this.current;
    this.at = id;
    for (let moment = this.current; moment.parent !== null; moment = this.moments.get(moment.parent)!)
      this.towards.set(moment.parent, moment.id);
    return this.current;
  }

  /** The whole tree, parents before children, with how deep each branch lies: for a list on the page. */
  tree(): { moment: Moment<T>; depth: number; current: boolean; line: boolean }[] {
    const children = new Map<number | null, Moment<T>[]>();
    for (const moment of this.moments.values())
      children.set(moment.parent, [...(children.get(moment.parent) ?? []), moment]);
    const line = new Set<number>();
    for (let moment: Moment<T> | undefined = this.current; moment; moment = moment.parent === null ? undefined : this.moments.get(moment.parent))
      line.add(moment.id);
    const rows: { moment: Moment<T>; depth: number; current: boolean; line: boolean }[] = [];
    // Without recursion: a line of a thousand edits is a thousand deep.
    const stack = (children.get(null) ?? []).map((moment) => ({ moment, depth: 0 })).reverse();
    while (stack.length) {
      const { moment, depth } = stack.pop()!;
      rows.push({ moment, depth, current: moment.id === this.at, line: line.has(moment.id) });
      const below = children.get(moment.id) ?? [];
      // The others branch off at once, in the order in which they were made; the eldest child goes on in its parent's column.
      const [eldest, ...others] = below;
      if (eldest) stack.push({ moment: eldest, depth });
      for (const child of others.reverse()) stack.push({ moment: child, depth: depth + 1 });
    }
    return rows;
  }

  private redoTarget(): number | undefined {
    const known = this.towards.get(this.at);
    if (known !== undefined && this.moments.has(known)) return known;
    return [...this.moments.values()].findLast((moment) => moment.parent === this.at)?.id;
  }

  private put(parent: number | null, value: T, label: string): number {
    const id = this.next++;
    this.moments.set(id, { id, parent, label, value });
    return id;
  }

  /** Forgets the oldest, the root moving up along the current line. */
  private prune(): void {
    while (this.moments.size > KEPT) {
      const line = new Set<number>();
      for (let moment: Moment<T> | undefined = this.current; moment; moment = moment.parent === null ? undefined : this.moments.get(moment.parent))
        line.add(moment.id);
      const parents = new Set([...this.moments.values()].map((moment) => moment.parent));
      const leaf = [...this.moments.values()].find((moment) => !line.has(moment.id) && !parents.has(moment.id));
      if (leaf) {
        this.moments.delete(leaf.id);
        continue;
      }
      const root = [...this.moments.values()].find((moment) => moment.parent === null)!;
      this.moments.delete(root.id);
      for (const moment of [...this.moments.values()])
        if (moment.parent === root.id) this.moments.set(moment.id, { ...moment, parent: null });
    }
  }
}
