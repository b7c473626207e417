/** What of the configuration the doctor may see: no secret. */
import type { WhatsAppConfig } from "../config.ts";
import type { Settings } from "./facts.ts";

export function settingsOf({ appId, loginConfigId, appUrl, basePath, graphUrl, ...secrets }: WhatsAppConfig): Settings {
  return {
    appId,
    hasLoginConfig: loginConfigId !== null,
    appUrl,
    webhookUrl: appUrl === null ? null : `${appUrl}${basePath}/webhook`,
    // Plain http is accepted on loopback only.
    graphIsLocal: graphUrl.startsWith("http:"),
    appSecretFrom: secrets.appSecretFrom.env,
    appSecrets: secrets.appSecretFrom.count,
    tokenKeyIds: secrets.tokenKeys.map(({ kid }) => kid),
  };
}
