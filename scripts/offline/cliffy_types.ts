/** The types that `Command` infers from the definitions of options and arguments. */

/** What `Command.option` takes beside the flags and the description. */
export interface OptionSettings {
  /** The value when the option is not given. */
  default?: unknown;
  /** Whether the option may be given many times; its value is then an array. */
  collect?: boolean;
  /** Whether leaving the option out is an error. */
  required?: boolean;
  /** Whether help leaves the option out. */
  hidden?: boolean;
}

type TypeNames = { number: number; integer: number; boolean: boolean };

/** `name:type` as the type of its value; text when no type is given. */
type Typed<Definition extends string> = Definition extends `${string}:${infer Type}`
  ? Type extends keyof TypeNames ? TypeNames[Type] : string
  : string;

/** `--long-name` of flags such as `-l, --long-name <value:string>`. */
type LongName<Flags extends string> = Flags extends `${string}--${infer Rest}`
  ? Rest extends `${infer Name} ${string}` ? Name : Rest
  : Flags extends `-${infer Short} ${string}` ? Short
  : Flags extends `-${infer Short}` ? Short
  : never;

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type FlagValue<Flags extends string> = Flags extends `${string}<${infer Definition}>${string}`
  ? Typed<Definition>
  : Flags extends `${string}[${infer Definition}]${string}` ? Typed<Definition> | true
  : true;

type Collected<Value, Settings> = Settings extends { collect: true } ? Value[] : Value;

type IsGiven<Settings> = Settings extends { required: true } ? true
  : Settings extends { default: infer Default } ? undefined extends Default ? false : true
  : false;

type DefaultOf<Settings> = Settings extends { default: infer Default } ? Default : never;

/** The member that an option adds to the options object. */
export type OptionMember<Flags extends string, Settings> = LongName<Flags> extends
  `no-${infer Name}` ? { [K in Camel<Name>]: boolean }
  : IsGiven<Settings> extends true ? {
      [K in Camel<LongName<Flags>>]: Collected<FlagValue<Flags>, Settings> | DefaultOf<Settings>;
    }
  : { [K in Camel<LongName<Flags>>]?: Collected<FlagValue<Flags>, Settings> };

type IsVariadic<Definition extends string> = Definition extends `${string}...${string}` ? true
  : false;

/** The positional arguments of a definition such as `<image:string> [command...:string]`. */
export type ArgumentTuple<Definition extends string> = Definition extends
  `${infer Head} ${infer Tail}` ? [...OneArgument<Head>, ...ArgumentTuple<Tail>]
  : OneArgument<Definition>;

type OneArgument<Definition extends string> = Definition extends `<${infer Inner}>`
  ? IsVariadic<Inner> extends true ? [Typed<Inner>, ...Typed<Inner>[]] : [Typed<Inner>]
  : Definition extends `[${infer Inner}]`
    ? IsVariadic<Inner> extends true ? Typed<Inner>[] : [Typed<Inner>?]
  : [];
