import type { AuthToken } from '../auth-token.js';
import type { ContractDefinition } from './contract-definition.js';
import type { SchemaTypes, TypesOfSchema } from './schema.js';

/** The types of a procedure. */
export interface CallTypes {
  readonly argument: SchemaTypes;
  readonly result: SchemaTypes;
}

/** The types of a channel. */
export interface ChannelTypes {
  readonly message: SchemaTypes;
  readonly subscribe: SchemaTypes;
}

/** All types of a contract, by section and name: where everything typed by a contract is looked up. */
export interface ContractTypes {
  readonly isTyped: boolean;
  readonly procedures: Readonly<Record<string, CallTypes>>;
  readonly events: Readonly<Record<string, SchemaTypes>>;
  /** By template. */
  readonly channels: Readonly<Record<string, ChannelTypes>>;
  /** The names that channels can have. */
  readonly names: string;
  /** The templates that fit a name, as keys of a record; looked up by the name of a channel. */
  readonly templates: Readonly<Record<string, object>>;
  readonly token: SchemaTypes;
}

/** What the type argument of a server, a socket or a client can be: the type of a contract, or {@link Untyped}. */
export interface AnyContract {
  /** Exists for the compiler only. */
  readonly types: ContractTypes;
}

/** No contract: every name is allowed, and what comes from the peer is `unknown`. */
export interface Untyped {
  /** Exists for the compiler only. */
  readonly types: {
    readonly isTyped: false;
    readonly procedures: Readonly<Record<string, CallTypes>>;
    readonly events: Readonly<Record<string, SchemaTypes>>;
    readonly channels: {};
    readonly names: string;
    readonly templates: Readonly<Record<string, {}>>;
    readonly token: { readonly input: object; readonly output: AuthToken };
  };
}

/** The claims of every token, which the library checks itself. */
type OwnClaims = Pick<AuthToken, 'exp' | 'iat' | 'nbf'>;

interface TypesOfToken<T extends SchemaTypes> {
  readonly input: T['input'] & OwnClaims;
  readonly output: T['output'] & OwnClaims;
}

interface Nothing {
  readonly input: undefined;
  readonly output: undefined;
}

interface TypesOfProcedure<P> {
  readonly argument: P extends { readonly argument: infer S } ? TypesOfSchema<S> : Nothing;
  readonly result: P extends { readonly result: infer S } ? TypesOfSchema<S> : Nothing;
}

interface TypesOfChannel<C> {
  readonly message: TypesOfSchema<C extends { readonly '~standard': unknown } ? C : MessageOf<C>>;
  readonly subscribe: C extends { readonly subscribe: infer S } ? TypesOfSchema<S> : SchemaTypes;
}

type MessageOf<C> = C extends { readonly message: infer S } ? S : never;

/** The types that a definition declares. */
export interface TypesOf<D extends ContractDefinition> {
  readonly isTyped: true;
  readonly procedures: D extends { readonly procedures: infer P }
    ? { readonly [N in keyof P]: TypesOfProcedure<P[N]> }
    : {};
  readonly events: D extends { readonly events: infer E }
    ? { readonly [N in keyof E]: TypesOfSchema<E[N]> }
    : {};
  readonly channels: D extends { readonly channels: infer C }
    ? { readonly [T in keyof C]: TypesOfChannel<C[T]> }
    : {};
  // Not the keys of `templates`: the compiler would work them out anew at every use.
  readonly names: D extends { readonly channels: infer C } ? NamePattern<keyof C & string> : never;
  // A key such as `room/${string}` makes the compiler find the templates of a name by itself, at any size.
  readonly templates: D extends { readonly channels: infer C }
    ? { readonly [T in keyof C & string as NamePattern<T>]: { readonly [Template in T]: true } }
    : {};
  readonly token: D extends { readonly token: infer S }
    ? TypesOfToken<TypesOfSchema<S>>
    : { readonly input: object; readonly output: AuthToken };
}

/** The names that a template stands for: `room/${string}` for `'room/:id'`. */
export type NamePattern<Template extends string> = Template extends `${infer Segment}/${infer Rest}`
  ? `${SegmentPattern<Segment>}/${NamePattern<Rest>}`
  : SegmentPattern<Template>;

type SegmentPattern<Segment extends string> = Segment extends `:${string}` ? string : Segment;

/** The names of the parameters in a template, as a union; `never` when it has none. */
export type ParameterName<Template extends string> = Template extends `${infer Segment}/${infer Rest}`
  ? SegmentParameter<Segment> | ParameterName<Rest>
  : SegmentParameter<Template>;

type SegmentParameter<Segment extends string> = Segment extends `:${infer Name}` ? Name : never;

/** The parameters of a template as they are found in a name. */
export type ChannelParameters<Template extends string> = {
  readonly [Name in ParameterName<Template>]: string;
};

/** The parameters that have to follow a template: none for one that has none. */
export type ParameterArguments<Template extends string> = [ParameterName<Template>] extends [never]
  ? []
  : [parameters: { readonly [Name in ParameterName<Template>]: string | number }];

/** The parameters that have to follow the name or the template of a channel. */
export type ChannelArguments<
  C extends AnyContract,
  Name extends string,
> = Name extends keyof C['types']['channels'] ? ParameterArguments<Name> : [];

/** A template beside its parameters, for each channel of a contract. */
export type ParsedChannel<C extends AnyContract> = {
  readonly [Template in keyof C['types']['channels'] & string]: {
    readonly template: Template;
    readonly parameters: ChannelParameters<Template>;
  };
}[keyof C['types']['channels'] & string];

type Depth<Name extends string> = Name extends `${string}/${infer Rest}` ? `/${Depth<Rest>}` : '';

// `room/${string}` fits 'room/1/typing' too: what tells the templates apart is the number of slashes.
type OfDepth<Template, Name extends string> = Template extends string
  ? Depth<Template> extends Depth<Name>
    ? Template
    : never
  : never;

/** The template that the name of a channel was made by. */
export type TemplateOf<C extends AnyContract, Name extends string> = Name extends C['types']['names']
  ? OfDepth<keyof C['types']['templates'][Name], Name>
  : never;

/** The types of the channel with that name, or of that template. */
export type TypesOfName<C extends AnyContract, Name extends string> = [TemplateOf<C, Name>] extends [never]
  ? { readonly message: SchemaTypes; readonly subscribe: SchemaTypes }
  : C['types']['channels'][TemplateOf<C, Name>];

/** The messages that a subscriber of that channel gets. */
export type ChannelMessage<C extends AnyContract, Name extends string> = TypesOfName<
  C,
  Name
>['message']['output'];

/** The messages that may be published to that channel. */
export type ChannelInput<C extends AnyContract, Name extends string> = TypesOfName<
  C,
  Name
>['message']['input'];

/** The `data` that a client may subscribe to that channel with. */
export type SubscriptionInput<C extends AnyContract, Name extends string> = TypesOfName<
  C,
  Name
>['subscribe']['input'];

/** The claims of a token: `exp`, `iat` and `nbf`, and those of the contract; without one any. */
export type Claims<C extends AnyContract> = C['types']['isTyped'] extends true
  ? C['types']['token']['output']
  : AuthToken;

/** Data, and what may follow it; data that may be undefined may be left out. */
export type DataArguments<Data, Rest extends unknown[] = []> = undefined extends Data
  ? [data?: Data, ...rest: Rest]
  : [data: Data, ...rest: Rest];

/**
 * The arguments of a method without a contract. With one they are none, so that the compiler looks at the overload
 * which the contract types, and at no other when it explains what is wrong.
 */
export type WhenUntyped<
  C extends AnyContract,
  Arguments extends unknown[],
> = C['types']['isTyped'] extends true ? [] : Arguments;
