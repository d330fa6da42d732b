import type { StandardSchemaV1 } from '@standard-schema/spec';

/**
 * What one entry of a contract allows: a validator of any library that follows Standard Schema (zod, valibot, arktype
 * and others), or the marker that {@link type} gives.
 *
 * @typeParam Input - what the sender gives
 * @typeParam Output - what the receiver gets: the input again, unless the validator transforms it
 */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** What a sender gives and a receiver gets, as a schema tells it. */
export interface SchemaTypes {
  readonly input: unknown;
  readonly output: unknown;
}

/** The types behind a schema. */
export type TypesOfSchema<S> = S extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T> & SchemaTypes
  : SchemaTypes;

const trusted: Schema = {
  '~standard': { version: 1, vendor: 'socketcluster-ts', validate: (value) => ({ value }) },
};

/**
 * An entry that says its type and checks nothing: data of the peer is handed on as it came.
 *
 * @example
 * ```ts
 * import { defineContract, type } from '@socketcluster-ts/core';
 *
 * const contract = defineContract({ events: { typing: type<{ room: string }>() } });
 * ```
 */
export function type<T>(): Schema<T> {
  return trusted as Schema<T>;
}

/** Whether a schema checks anything at all. */
export function isChecking(schema: Schema | undefined): schema is Schema {
  return schema !== undefined && schema !== trusted;
}

/** Whether a value follows Standard Schema. */
export function isSchema(value: unknown): value is Schema {
  // Some libraries make their schemas functions.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Partial<Schema>)['~standard'] as { validate?: unknown } | undefined;
  return typeof standard?.validate === 'function';
}
