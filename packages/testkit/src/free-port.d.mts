/** A port of 127.0.0.1 that is free now. */
export declare function freePort(): Promise<number>;
