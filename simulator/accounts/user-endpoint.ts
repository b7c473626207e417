/** /me, its permissions, and the business portfolios with their accounts: what a token finds of itself. */
import { type GraphAnswer, refuse, unknownObject } from "../graph-error.ts";
import type { GraphCall, GraphPlan } from "../graph-plan.ts";
import { ok, pageOf, pick, read, SUCCESS } from "../node.ts";
import { type Access, APP_REMOVED, type Tokens } from "../tokens.ts";
import type { WireObject } from "../wire.ts";
import type { AccountBook, AccountRecord } from "./account-book.ts";
import { accountNode } from "./nodes.ts";

export type UserEndpoint = { plan(call: GraphCall): GraphPlan | GraphAnswer };

const BUSINESS_DEFAULTS = ["id", "name"];
const LISTED_ACCOUNT_DEFAULTS = ["id", "name", "currency", "timezone_id", "message_template_namespace"];

export function createUserEndpoint(deps: {
  readonly appId: string;
  readonly book: AccountBook;
  readonly tokens: Tokens;
}): UserEndpoint {
  const { appId, book, tokens } = deps;

  function accountsOf({ wabaIds }: Access): readonly AccountRecord[] {
    return book.accounts().filter(({ wabaId }) => wabaIds.has(wabaId));
  }

  function planUser(call: GraphCall): GraphPlan | GraphAnswer {
    const { access, method } = call;
    switch (`${method} ${call.edge ?? ""}`) {
      case "GET ":
        return read("me", () => pick(userNode(access), call, nodeTypeOf(access), ["id", "name"]));
      case "GET businesses":
        return read("businesses", () => listBusinesses(call));
      case "GET permissions":
        return read("permissions", () =>
          ok({ data: [...access.scopes].map((permission) => ({ permission, status: "granted" })) }),
        );
      case "DELETE permissions":
        return read("permissions", () => giveUp(access.userId, call));
      default:
        return unknownObject(method, call.objectId);
    }
  }

  function giveUp(userId: string, { access, item }: GraphCall): GraphAnswer {
    if (item === null) tokens.revokeUser({ appId: access.appId, userId }, APP_REMOVED);
    else access.scopes.delete(item);
    return SUCCESS;
  }

  function userNode(access: Access): WireObject {
    const [business] = accountsOf(access).map(({ businessId }) => businessId);
    return {
      id: access.userId,
      name: access.userName,
      ...(access.type === "SYSTEM_USER" && { client_business_id: business }),
    };
  }

  function listBusinesses(call: GraphCall): GraphAnswer {
    const { access } = call;
    const mayList = access.scopes.has("business_management");
    if (!mayList && access.type === "USER") return refuse({ code: 100, message: "(#100) Missing Permission" });
    const ids = new Set(mayList ? accountsOf(access).map(({ businessId }) => businessId) : []);
    const nodes = [...ids].map((id) => ({ id, name: businessNameOf(id), verification_status: "verified" }));
    return pageOf(nodes, call, "Business", BUSINESS_DEFAULTS);
  }

  function businessNameOf(businessId: string): string {
    return `Business ${businessId}`;
  }

  function planBusiness(call: GraphCall): GraphPlan | GraphAnswer | null {
    const seen = accountsOf(call.access);
    const owned = seen.filter(({ businessId }) => businessId === call.objectId);
    const shared = seen.filter(({ about }) => about.partnerBusinessId === call.objectId);
    if (call.method !== "GET" || owned.length + shared.length === 0) return null;
    const list = (accounts: readonly AccountRecord[]) =>
      read(
        "accounts",
        () =>
          pageOf(
            accounts.map((account) => accountNode(account, { appId, webhookUrl: null })),
            call,
            "WhatsAppBusinessAccount",
            LISTED_ACCOUNT_DEFAULTS,
          ),
        [call.objectId],
      );
    switch (call.edge) {
      case null:
        return read("businesses", () =>
          pick({ id: call.objectId, name: businessNameOf(call.objectId) }, call, "Business", BUSINESS_DEFAULTS),
        );
      case "owned_whatsapp_business_accounts":
        return list(owned);
      case "client_whatsapp_business_accounts":
        return list(shared);
      default:
        return null;
    }
  }

  return {
    plan(call) {
      const { objectId, access, method, edge } = call;
      if (access.isApp)
        return method === "DELETE" && edge === "permissions" && call.item === null
          ? read("permissions", () => giveUp(objectId, call))
          : unknownObject(method, objectId);
      if (objectId === "me" || objectId === access.userId) return planUser(call);
      return planBusiness(call) ?? unknownObject(method, objectId);
    },
  };
}

function nodeTypeOf({ type }: Access): string {
  return type === "USER" ? "User" : "SystemUser";
}
