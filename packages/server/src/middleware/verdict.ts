/** What a middleware may change about an action it allows. */
export interface ActionAllowance {
  /** Replaces the payload when not `undefined`; `null` is a replacement. */
  readonly data?: unknown;
  /** Only for `publishOut`. */
  readonly options?: {
    /** Send the bytes encoded for everybody, even when `data` was replaced. */
    readonly useCache?: boolean;
  };
}

/** An action the middleware let through. */
export interface Allowed {
  readonly allowed: true;
  /** The payload to go on with: the replacement, else the one of the action. */
  readonly data: unknown;
  readonly replaced: boolean;
  readonly options: ActionAllowance['options'];
}

/** An action the middleware prevented. */
export interface Blocked {
  readonly allowed: false;
  /** What the requester is told. */
  readonly error: unknown;
  /** What the middleware said, for the server's own events. */
  readonly cause: unknown;
}

/** What became of an action. */
export type Verdict = Allowed | Blocked;

/** Who asked a middleware about an action, and goes on with its verdict. */
export interface VerdictReceiver {
  /** Called once, in a microtask after the verdict was given. What it throws is reported as an uncaught error. */
  onVerdict(verdict: Verdict): void;
}
