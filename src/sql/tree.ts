import type { SqlNode } from "./expression.js";

/** The nodes right below a node, whatever member holds them. */
function childrenOf(node: SqlNode): SqlNode[] {
  return Object.values(node).flatMap((member) => nodesIn(member));
}

/** A copy of a node whose children `change` made. */
export function mapChildren(node: SqlNode, change: (child: SqlNode) => SqlNode): SqlNode {
  const members = Object.entries(node).map(([key, member]) => [key, mapIn(member, change)] as const);
  return Object.fromEntries(members) as SqlNode;
}

/** True for the node or anything below it. */
export function someNode(node: SqlNode, test: (node: SqlNode) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => someNode(child, test));
}

function nodesIn(member: unknown): SqlNode[] {
  if (Array.isArray(member)) return member.flatMap(nodesIn);
  if (typeof member !== "object" || member === null) return [];
  return isNode(member) ? [member] : Object.values(member).flatMap(nodesIn);
}

function mapIn(member: unknown, change: (child: SqlNode) => SqlNode): unknown {
  if (Array.isArray(member)) return member.map((item) => mapIn(item, change));
  if (typeof member !== "object" || member === null) return member;
  if (isNode(member)) return change(member);
  return Object.fromEntries(Object.entries(member).map(([key, value]) => [key, mapIn(value, change)]));
}

function isNode(value: object): value is SqlNode {
  return "class" in value && "type" in value && typeof value.class === "string";
}
