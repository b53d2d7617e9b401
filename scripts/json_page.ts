/** The page of docs/reference on JSON, derived from the types of what is printed. */

import type { Command } from "@hpk/core/commands";
import { showArgument } from "@hpk/core/command-help";
import type { Program } from "./reference_pages.ts";

/** A declaration, of what `deno doc --json` prints. */
export interface DocNode {
  readonly name: string;
  readonly jsDoc?: { readonly doc?: string };
  readonly interfaceDef?: {
    readonly properties: readonly DocProperty[];
    readonly extends: readonly DocType[];
  };
  readonly typeAliasDef?: { readonly tsType: DocType };
}

/** A member of an interface. */
export interface DocProperty {
  readonly name: string;
  readonly optional?: boolean;
  readonly jsDoc?: { readonly doc?: string };
  readonly tsType?: DocType;
}

/** A type. What it is made of is in the member that is called as its kind. */
export interface DocType {
  readonly kind: string;
  readonly repr: string;
  readonly array?: DocType;
  readonly union?: readonly DocType[];
  readonly literal?: { readonly kind: string; readonly string?: string };
  readonly typeOperator?: { readonly operator: string; readonly tsType: DocType };
  readonly typeLiteral?: { readonly properties: readonly DocProperty[] };
  readonly typeRef?: { readonly typeName: string; readonly typeParams?: readonly DocType[] | null };
  readonly indexedAccess?: { readonly objType: DocType; readonly indexType: DocType };
  readonly parenthesized?: DocType;
}

/** Types that are shown by what they are made of, and by nothing of their own. */
const UTILITIES = ["Readonly", "Partial", "Record", "Omit", "Pick"];

/**
 * The page on JSON.
 *
 * @throws {Error} When a type that a command prints is not among the declarations, or one of its
 * members has no documentation.
 */
export function jsonPage(programs: readonly Program[], nodes: readonly DocNode[]): string {
  const declared = new Map(nodes.map((node) => [node.name, node]));
  const outputs = programs.flatMap(({ name, commands }) => outputsOf(commands, name));
  const queue = outputs.flatMap(([, output]) => output.match(/\b[A-Z]\w+/g) ?? []);
  const sections = new Map<string, string>();
  for (const name of queue) {
    if (sections.has(name)) continue;
    const node = declared.get(name);
    if (node === undefined) throw new Error(`no declaration of ${name}: add its module`);
    const page = new TypePage(declared);
    sections.set(name, page.section(node));
    queue.push(...page.mentioned);
  }
  return `# JSON

<!-- Written by \`deno task reference\` from the types in the code. -->

Shapes are stable: keys are only added, and \`version\` is 1.

| command | prints |
| --- | --- |
${outputs.map(([command, output]) => `| \`${command}\` | ${linked(output)} |\n`).join("")}
\`container inspect\` and \`image inspect\` print Docker's shape.

${[...sections.values()].join("")}`;
}

/** Commands and what they print. */
function outputsOf(
  // deno-lint-ignore no-explicit-any -- of programs with different contexts
  commands: readonly Command<any>[],
  above: string,
): [command: string, output: string][] {
  return commands.flatMap((command): [string, string][] => {
    const path = command.name === above ? above : `${above} ${command.name}`;
    const operands = (command.arguments ?? []).filter(({ optional }) => !optional)
      .map(showArgument);
    const own: [string, string][] = command.output === undefined || command.hidden
      ? []
      : [[[path, ...operands, "--json"].join(" "), command.output]];
    return [...own, ...outputsOf(command.commands ?? [], path)];
  });
}

/** Text with the names of types as links to their sections. */
function linked(text: string): string {
  return text.replace(/\b[A-Z]\w+/g, (name) => `[${name}](#${name.toLowerCase()})`);
}

/** Writes one type, and remembers which others it mentions. */
class TypePage {
  readonly mentioned: string[] = [];
  readonly #declared: ReadonlyMap<string, DocNode>;

  constructor(declared: ReadonlyMap<string, DocNode>) {
    this.#declared = declared;
  }

  section(node: DocNode): string {
    const about = node.jsDoc?.doc === undefined ? "" : `${node.jsDoc.doc.trim()}\n\n`;
    const alias = node.typeAliasDef?.tsType;
    const body = node.interfaceDef === undefined
      ? (alias?.union ?? []).map((one) => `- ${this.#show(one)}\n`).join("") + "\n"
      : `| key | value | meaning |\n| --- | --- | --- |\n${
        this.#rows(node.name, this.#members(node), "")
      }\n`;
    return `## ${node.name}\n\n${about}${body}`;
  }

  #members({ interfaceDef }: DocNode): DocProperty[] {
    const above = (interfaceDef?.extends ?? []).flatMap((type) => {
      const node = this.#declared.get(type.typeRef?.typeName ?? "");
      return node === undefined ? [] : this.#members(node);
    });
    return [...above, ...interfaceDef?.properties ?? []];
  }

  #rows(of: string, properties: readonly DocProperty[], prefix: string): string {
    return properties.map(({ name, optional, jsDoc, tsType }) => {
      const key = `${prefix}${name}`;
      if (jsDoc?.doc === undefined) throw new Error(`no documentation of ${of}.${key}`);
      const meaning = jsDoc.doc.trim().replaceAll("\n", " ");
      const { inner, suffix } = unwrap(tsType!);
      const value = inner.typeLiteral === undefined
        ? this.#show(tsType!)
        : suffix === ""
        ? "object"
        : "list";
      const row = `| \`${key}${suffix}\` | ${value.replaceAll("|", "\\|")} | ${
        optional ? "May be absent. " : ""
      }${meaning.replaceAll("|", "\\|")} |\n`;
      const nested = inner.typeLiteral === undefined
        ? ""
        : this.#rows(of, inner.typeLiteral.properties, `${key}${suffix}.`);
      return row + nested;
    }).join("");
  }

  #show(type: DocType): string {
    if (type.typeOperator?.operator === "keyof") return "string";
    if (type.typeOperator !== undefined) return this.#show(type.typeOperator.tsType);
    if (type.parenthesized !== undefined) return this.#show(type.parenthesized);
    if (type.array !== undefined) return `list of ${this.#show(type.array)}`;
    if (type.union !== undefined) return type.union.map((one) => this.#show(one)).join(" or ");
    if (type.literal !== undefined) {
      return `\`${type.literal.string === undefined ? type.repr : `"${type.literal.string}"`}\``;
    }
    if (type.typeLiteral !== undefined) {
      const members = type.typeLiteral.properties.map(({ name, tsType }) =>
        `\`${name}\`: ${this.#show(tsType!)}`
      );
      return `{ ${members.join(", ")} }`;
    }
    if (type.indexedAccess !== undefined) return this.#showMember(type.indexedAccess);
    if (type.typeRef !== undefined) return this.#showReference(type);
    return type.repr === "null" || type.repr === "undefined" ? `\`${type.repr}\`` : type.repr;
  }

  #showMember({ objType, indexType }: NonNullable<DocType["indexedAccess"]>): string {
    // The values of a constant, which the documentation of the member lists.
    if (objType.kind === "typeQuery" || objType.typeRef === undefined) return "string";
    const owner = this.#declared.get(objType.typeRef.typeName);
    const name = indexType.literal?.string;
    const member = owner === undefined
      ? undefined
      : this.#members(owner).find((property) => property.name === name);
    if (member?.tsType === undefined) throw new Error(`cannot find ${objType.repr}.${name}`);
    return this.#show(member.tsType);
  }

  #showReference({ typeRef, repr }: DocType): string {
    const name = typeRef!.typeName;
    const parameters = typeRef!.typeParams ?? [];
    if (name === "Record") return `object of ${this.#show(parameters[1]!)} by name`;
    if (UTILITIES.includes(name)) return this.#show(parameters[0]!);
    const node = this.#declared.get(name);
    const alias = node?.typeAliasDef?.tsType;
    const isLong = alias?.union?.some(({ typeLiteral }) => typeLiteral !== undefined) === true;
    if (alias !== undefined && !isLong) return this.#show(alias);
    if (node === undefined) throw new Error(`no declaration of ${repr}: add its module`);
    this.mentioned.push(name);
    return linked(name);
  }
}

/** A type without lists around it, and the brackets that stand for those. */
function unwrap(type: DocType): { readonly inner: DocType; readonly suffix: string } {
  if (type.typeOperator !== undefined) return unwrap(type.typeOperator.tsType);
  if (type.parenthesized !== undefined) return unwrap(type.parenthesized);
  if (type.array === undefined) return { inner: type, suffix: "" };
  const { inner, suffix } = unwrap(type.array);
  return { inner, suffix: `[]${suffix}` };
}
