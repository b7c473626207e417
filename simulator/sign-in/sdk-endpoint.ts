/** /{language}/sdk.js: what Embedded Signup needs of Meta's JavaScript SDK, `FB.init` and `FB.login`. */
import type { GraphPlan, OpenCall } from "../graph-plan.ts";
import { read } from "../node.ts";

export function planSdk({ origin, version }: OpenCall): GraphPlan {
  return read("sdk", () => ({
    httpStatus: 200,
    body: sdkOf(origin, version),
    headers: { "Content-Type": "application/javascript; charset=utf-8", "Access-Control-Allow-Origin": "*" },
  }));
}

// The popup's answer comes as a query and not as JSON, as the real SDK's does: a page that parses every message meets it.
function sdkOf(origin: string, version: string): string {
  return `(function () {
  "use strict";
  var META = ${JSON.stringify(origin)};
  var POLL_MS = 200;
  var settings = null;
  var count = 0;
  function login(callback, options) {
    if (!settings) throw new Error("FB.login() called before FB.init().");
    options = options || {};
    count += 1;
    var id = "f" + count + Date.now();
    var query = new URLSearchParams({ client_id: settings.appId, display: "popup", origin: location.origin, cb: id });
    ["config_id", "response_type", "override_default_response_type", "scope", "auth_type", "state"].forEach(function (name) {
      if (options[name] !== undefined) query.set(name, String(options[name]));
    });
    if (options.extras !== undefined) query.set("extras", JSON.stringify(options.extras));
    var popup = window.open(META + "/" + settings.version + "/dialog/oauth?" + query, "_blank", "popup,width=600,height=760");
    var timer = setInterval(function () { if (!popup || popup.closed) setTimeout(function () { finish(null); }, POLL_MS); }, POLL_MS);
    function finish(code) {
      if (timer === null) return;
      clearInterval(timer);
      timer = null;
      window.removeEventListener("message", hear);
      if (callback) callback(code === null
        ? { authResponse: null, status: "unknown" }
        : { authResponse: { code: code, userID: null, expiresIn: null }, status: "connected" });
    }
    function hear(event) {
      if (event.origin !== META || typeof event.data !== "string") return;
      var answer = new URLSearchParams(event.data);
      if (answer.get("cb") === id) finish(answer.get("code"));
    }
    window.addEventListener("message", hear);
  }
  window.FB = {
    init: function (options) { settings = { appId: String(options.appId), version: options.version || ${JSON.stringify(version)} }; },
    login: login,
  };
  if (typeof window.fbAsyncInit === "function") window.fbAsyncInit();
})();
`;
}
