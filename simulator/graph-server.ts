/** The HTTP side of Graph: reads a call, authorizes it, lets a fault disturb it, answers. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { FaultSource, TakenFault } from "./faults.ts";
import { type GraphAnswer, refuse } from "./graph-error.ts";
import { type GraphCall, type GraphPlan, isPlan, type OpenCall } from "./graph-plan.ts";
import { newTraceId } from "./ids.ts";
import type { Timers } from "./timers.ts";
import type { Tokens } from "./tokens.ts";
import type { WireObject } from "./wire.ts";

/** Percentages of the app's allowance, as `X-App-Usage` tells them. */
export type AppUsage = { readonly callCount: number; readonly totalTime: number; readonly totalCpuTime: number };

export type GraphServer = {
  listen(port: number, host: string): Promise<string>;
  setAppUsage(usage: AppUsage): void;
  close(): Promise<void>;
};

type Exchange = {
  readonly answer: (result: GraphAnswer) => void;
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
};

const MAX_BODY_BYTES = 1_048_576;
const PATH = /^(?:\/(v\d+\.\d+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?\/?$/;

export function createGraphServer(deps: {
  readonly apiVersion: string;
  readonly tokens: Tokens;
  readonly faults: FaultSource;
  readonly timers: Timers;
  /** Null: this needs a token. */
  readonly planOpen: (call: OpenCall) => GraphPlan | GraphAnswer | null;
  readonly plan: (call: GraphCall) => GraphPlan | GraphAnswer;
  readonly onRequest: (request: string) => void;
  readonly onRefused: (request: string, answer: GraphAnswer) => void;
  /** What is no call of Graph, such as a download of bytes. @returns whether it was taken. */
  readonly serve: (request: http.IncomingMessage, response: http.ServerResponse) => boolean;
}): GraphServer {
  const { tokens, faults, timers } = deps;
  let appUsage = JSON.stringify({ call_count: 1, total_time: 1, total_cputime: 1 });

  async function handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const isStreamed = isStreamedBody(request);
    const bytes = isStreamed ? Buffer.alloc(0) : await readBody(request);
    const url = new URL(request.url ?? "/", "http://graph.invalid");
    const [, version = deps.apiVersion, objectId, edge = null, item = null] = PATH.exec(url.pathname) ?? [];
    const method = request.method ?? "GET";
    const name = `${method} /${objectId ?? ""}${[edge, item].map((part) => (part === null ? "" : `/${part}`)).join("")}`;
    deps.onRequest(name);
    const answer = (result: GraphAnswer) => {
      // The root itself has nothing to give: whoever asks it, such as our doctor, wants to know the time.
      if (result.httpStatus >= 400 && url.pathname !== "/") deps.onRefused(name, result);
      respond(response, version, result);
    };
    const body: WireObject | null = isStreamed
      ? { stream: request }
      : bytes === null
        ? null
        : parseBody(bytes, request.headers["content-type"] ?? "");
    if (objectId === undefined) return answer(refuse({ code: 2500 }));
    if (body === null) return answer(refuse({ code: 100, message: "(#100) The request body is not valid JSON" }));
    const { searchParams: query } = url;
    const origin = `http://${request.headers.host ?? "graph.invalid"}`;
    const call: OpenCall = { method, version, objectId, edge, item, origin, query, body };
    const open = deps.planOpen(call);
    if (open) return carryOut(open, { answer, request, response });
    const access = tokens.authorize({
      accessToken: bearerOf(request) ?? url.searchParams.get("access_token") ?? textOf(body.access_token),
      proof: url.searchParams.get("appsecret_proof") ?? textOf(body.appsecret_proof),
    });
    if ("httpStatus" in access) return answer(access);
    await carryOut(deps.plan({ ...call, access }), { answer, request, response });
  }

  async function carryOut(plan: GraphPlan | GraphAnswer, exchange: Exchange): Promise<void> {
    if (!isPlan(plan)) return exchange.answer(plan);
    const fault = faults.take({ on: plan.endpoint, to: plan.to });
    if (!fault) return exchange.answer(await plan.run());
    await disturb(fault, plan, exchange);
  }

  async function disturb(fault: TakenFault, plan: GraphPlan, { answer, request, response }: Exchange): Promise<void> {
    if (typeof fault.do === "object" && "failed" in fault.do) {
      const { code, details } = fault.do.failed;
      return answer(await plan.run({ code, details: details ?? "As the test asked for" }));
    }
    if (typeof fault.do === "object") return answer("error" in fault.do ? refuse(fault.do.error) : await plan.run());
    switch (fault.do) {
      case "reset-before-accept":
        request.socket.resetAndDestroy();
        return;
      case "hang":
        return;
      case "accept-then-hang":
        await plan.run();
        return;
      case "accept-then-reset":
        await plan.run();
        request.socket.resetAndDestroy();
        return;
      case "accept-then-500":
        await plan.run();
        response.writeHead(500, { "Content-Length": 0 }).end();
        return;
      case "garbage":
        await plan.run();
        response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Sorry</title>");
        return;
      case "slow": {
        const result = await plan.run();
        timers.after(fault.ms, () => answer(result));
        return;
      }
    }
  }

  function respond(response: http.ServerResponse, version: string, { httpStatus, body, headers }: GraphAnswer): void {
    const text = headers?.["Content-Type"] === undefined ? JSON.stringify(body) : String(body);
    response.writeHead(httpStatus, {
      "Content-Type": "application/json; charset=UTF-8",
      "Content-Length": Buffer.byteLength(text),
      "X-App-Usage": appUsage,
      "facebook-api-version": version,
      "x-fb-trace-id": newTraceId(),
      ...(httpStatus === 401 && { "WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_token"' }),
      ...headers,
    });
    response.end(text);
    // Of a file that was refused unread.
    if (!response.req.complete) response.req.resume();
  }

  const server = http.createServer((request, response) => {
    // A path such as `//` is no address, and whoever reads it as one throws.
    if (!URL.canParse(request.url ?? "/", "http://graph.invalid"))
      return respond(response, deps.apiVersion, refuse({ code: 2500 }));
    if (deps.serve(request, response)) return;
    handle(request, response).catch((error: unknown) => {
      // A caller that hangs up while it is being read is not ours to report.
      if (!response.headersSent && !response.destroyed) respond(response, deps.apiVersion, failureOf(error));
    });
  });
  // Longer than any caller keeps an idle connection, so that the simulator never resets one by accident.
  server.keepAliveTimeout = 120_000;

  return {
    listen(port, host) {
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.off("error", reject);
          const { port: actual } = server.address() as AddressInfo;
          resolve(`http://${host.includes(":") ? `[${host}]` : host}:${actual}`);
        });
      });
    },
    setAppUsage({ callCount, totalTime, totalCpuTime }) {
      appUsage = JSON.stringify({ call_count: callCount, total_time: totalTime, total_cputime: totalCpuTime });
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** A file: whoever carries the call out reads it, and what nobody reads is let go. */
function isStreamedBody(request: http.IncomingMessage): boolean {
  const isForm = (request.headers["content-type"] ?? "").startsWith("multipart/form-data");
  return request.method === "POST" && (isForm || request.headers.file_offset !== undefined);
}

async function readBody(request: http.IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return length > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}

/** Meta takes JSON and forms alike; null when the body is neither. */
function parseBody(bytes: Buffer, contentType: string): WireObject | null {
  if (bytes.length === 0) return {};
  const text = bytes.toString("utf8");
  if (contentType.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(text));
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as WireObject) : null;
  } catch {
    return null;
  }
}

function bearerOf(request: http.IncomingMessage): string | null {
  return /^(?:Bearer|OAuth) (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function failureOf(error: unknown): GraphAnswer {
  return refuse({
    code: 1,
    message: `The simulator failed: ${error instanceof Error ? error.message : String(error)}`,
  });
}
