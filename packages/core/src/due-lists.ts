/** Owns its own place in one of the {@link DueLists}; whoever stands in a list writes none of these fields. */
export class DueNode {
  /** When it is due, in milliseconds of the caller's clock. */
  dueAt = 0;
  /** The list it stands in, if any. */
  list: DueList | undefined = undefined;
  previous: DueNode | undefined = undefined;
  next: DueNode | undefined = undefined;
}

/** Owns the nodes that wait equally long, the earliest first. */
interface DueList {
  readonly delayMs: number;
  head: DueNode | undefined;
  tail: DueNode | undefined;
  /** No node of the list is due before. Lags behind when the head goes: see {@link DueLists.earliest}. */
  notBefore: number;
  /** Where it stands in the heap; `OUTSIDE` while it is empty. */
  slot: number;
}

const OUTSIDE = -1;

/**
 * How many empty lists are kept for their delay to come again. A `Map` walks over the remains of deleted keys until it
 * is rebuilt, so deleting and setting the same key over and over, as one call after the other would, gets ever slower.
 */
const MAX_IDLE_LISTS = 16;

/**
 * Owns nodes ordered by when they are due: one list for each delay, and a binary heap over the lists.
 *
 * Nodes with the same delay become due in the order they were added, so a list is sorted by appending, and moving a
 * node to the end of its list, which is what every sign of life of every connection does, costs a few assignments. A
 * heap of all nodes would sift for each of them. Lists alone would make a delay that is used once, such as the rest
 * of a token's life, cost a search over all lists: the heap makes it cost its logarithm. An empty list leaves the heap
 * at once and, but for the last few, is forgotten, so one-off delays leave nothing behind.
 */
export class DueLists {
  readonly #lists = new Map<number, DueList>();
  readonly #heap: DueList[] = [];
  readonly #idle: DueList[] = [];
  #size = 0;

  /** How many nodes stand in lists. */
  get size(): number {
    return this.#size;
  }

  /** How many lists there are: one for each delay in use, and the last few that became empty. */
  get listCount(): number {
    return this.#lists.size;
  }

  /** Puts the node at the end of the list of its delay, from wherever it stood. */
  add(node: DueNode, delayMs: number, dueAt: number): void {
    if (node.list?.delayMs === delayMs) {
      this.#unlink(node, node.list);
    } else {
      this.remove(node);
    }
    const list = this.#listOf(delayMs);
    if (list.slot === OUTSIDE) this.#push(list, dueAt);
    const { tail } = list;
    // A clock that went back must not break the order of the list.
    node.dueAt = tail === undefined ? dueAt : Math.max(dueAt, tail.dueAt);
    node.list = list;
    node.previous = tail;
    node.next = undefined;
    if (tail === undefined) list.head = node;
    else tail.next = node;
    list.tail = node;
    this.#size++;
  }

  /** Takes the node out of its list. Does nothing if it stands in none. */
  remove(node: DueNode): void {
    const { list } = node;
    if (list === undefined) return;
    this.#unlink(node, list);
    if (list.head === undefined) this.#drop(list);
  }

  /** When the first node is due; `Infinity` without one. */
  earliest(): number {
    return this.#first()?.dueAt ?? Number.POSITIVE_INFINITY;
  }

  /** Takes out the first node if it is due at `now`. Repeated, it gives all that are due, the earliest first. */
  takeDue(now: number): DueNode | undefined {
    const first = this.#first();
    if (first === undefined || first.dueAt > now) return undefined;
    this.remove(first);
    return first;
  }

  /** Corrects the bounds that lag behind, from the top, until the top one is true. */
  #first(): DueNode | undefined {
    for (;;) {
      const top = this.#heap[0];
      const head = top?.head;
      if (top === undefined || head === undefined) return undefined;
      if (head.dueAt <= top.notBefore) return head;
      top.notBefore = head.dueAt;
      this.#siftDown(top);
    }
  }

  #listOf(delayMs: number): DueList {
    const known = this.#lists.get(delayMs);
    if (known !== undefined) return known;
    const list: DueList = { delayMs, head: undefined, tail: undefined, notBefore: 0, slot: OUTSIDE };
    this.#lists.set(delayMs, list);
    return list;
  }

  #push(list: DueList, dueAt: number): void {
    const index = this.#idle.indexOf(list);
    if (index >= 0) this.#idle.splice(index, 1);
    list.notBefore = dueAt;
    list.slot = this.#heap.length;
    this.#heap.push(list);
    this.#siftUp(list);
  }

  #drop(list: DueList): void {
    const last = this.#heap.pop();
    if (last !== undefined && last !== list) {
      this.#place(last, list.slot);
      this.#siftUp(last);
      this.#siftDown(last);
    }
    list.slot = OUTSIDE;
    this.#idle.push(list);
    const oldest = this.#idle.length > MAX_IDLE_LISTS ? this.#idle.shift() : undefined;
    if (oldest !== undefined) this.#lists.delete(oldest.delayMs);
  }

  #unlink(node: DueNode, list: DueList): void {
    if (node.previous === undefined) list.head = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) list.tail = node.previous;
    else node.next.previous = node.previous;
    node.list = undefined;
    node.previous = undefined;
    node.next = undefined;
    this.#size--;
  }

  #siftUp(list: DueList): void {
    while (list.slot > 0) {
      const slot = (list.slot - 1) >> 1;
      const parent = this.#heap[slot];
      if (parent === undefined || parent.notBefore <= list.notBefore) return;
      this.#place(parent, list.slot);
      this.#place(list, slot);
    }
  }

  #siftDown(list: DueList): void {
    for (;;) {
      const left = this.#heap[2 * list.slot + 1];
      const right = this.#heap[2 * list.slot + 2];
      const child =
        right !== undefined && left !== undefined && right.notBefore < left.notBefore ? right : left;
      if (child === undefined || list.notBefore <= child.notBefore) return;
      const { slot } = child;
      this.#place(child, list.slot);
      this.#place(list, slot);
    }
  }

  #place(list: DueList, slot: number): void {
    this.#heap[slot] = list;
    list.slot = slot;
  }
}
