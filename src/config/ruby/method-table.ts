import { Unsupported, type RubyProc, type RubyValue } from "./ruby-values.ts";

/** A method: undefined if it is not supported with these arguments. */
type Run<T> = (on: T, args: readonly RubyValue[]) => RubyValue | undefined;

/** A method with a block. */
type RunBlock<T> = (on: T, block: RubyProc, args: readonly RubyValue[]) => Promise<RubyValue | undefined>;

interface Method<R> {
  readonly least: number;
  readonly most: number;
  readonly run: R;
}

export type Methods<T> = ReadonlyMap<string, Method<Run<T>>>;
export type BlockMethods<T> = ReadonlyMap<string, Method<RunBlock<T>>>;

const MANY = 100;

/** Methods by the number of their arguments. */
interface Table<R> {
  readonly none?: Readonly<Record<string, R>>;
  readonly one?: Readonly<Record<string, R>>;
  readonly two?: Readonly<Record<string, R>>;
  readonly upToOne?: Readonly<Record<string, R>>;
  readonly oneOrTwo?: Readonly<Record<string, R>>;
  readonly any?: Readonly<Record<string, R>>;
}

function rowsOf<R>(table: Table<R>): ReadonlyMap<string, Method<R>> {
  const rows = (least: number, most: number, runs: Readonly<Record<string, R>> = {}) =>
    Object.entries(runs).map(([name, run]): [string, Method<R>] => [name, { least, most, run }]);
  return new Map([
    ...rows(0, 0, table.none),
    ...rows(1, 1, table.one),
    ...rows(2, 2, table.two),
    ...rows(0, 1, table.upToOne),
    ...rows(1, 2, table.oneOrTwo),
    ...rows(0, MANY, table.any),
  ]);
}

export function methods<T>(table: Table<Run<T>>): Methods<T> {
  return rowsOf(table);
}

export function blockMethods<T>(table: Table<RunBlock<T>>): BlockMethods<T> {
  return rowsOf(table);
}

/** The first of the tables that has the method decides. @throws Unsupported */
export function find<R>(name: string, count: number, tables: readonly ReadonlyMap<string, Method<R>>[]): R {
  const method = tables.find((table) => table.has(name))?.get(name);
  if (!method || count < method.least || count > method.most) throw cannot(name);
  return method.run;
}

export function cannot(name: string): Unsupported {
  return new Unsupported(`\`${name}\` cannot be called like this`);
}
