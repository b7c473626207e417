/** States of Meta's login: hashed, one-time, bound to who started. */
import type { SignIns, StartedSignIn } from "../../plugin/ports.ts";
import type { Database } from "./database.ts";

export function createSignIns(db: Database): SignIns {
  const table = db.name("whatsapp_oauth_states");
  return {
    async begin(started, lifeMs) {
      await db.query(
        `with old as (delete from ${table} where expires_at < now() - interval '1 day')
         insert into ${table} (state_hash, customer_config_id, user_id, session_hash, app_id, redirect_uri, return_to, pkce_verifier_enc, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 millisecond')`,
        [
          started.stateHash,
          started.customerConfigId,
          started.userId,
          started.sessionHash,
          started.appId,
          started.redirectUri,
          started.returnTo,
          started.pkceVerifierEnc,
          lifeMs,
        ],
      );
    },

    // Somebody else's try must not use it up, so the whole binding is in the condition.
    async take({ stateHash, customerConfigId, userId, sessionHash, appId }) {
      const [row] = await db.query<{
        readonly redirect_uri: string;
        readonly return_to: string;
        readonly pkce_verifier_enc: string | null;
      }>(
        `update ${table} set used_at = now()
         where state_hash = $1 and customer_config_id = $2 and user_id is not distinct from $3 and session_hash = $4
           and app_id = $5 and used_at is null and expires_at > now()
         returning redirect_uri, return_to, pkce_verifier_enc`,
        [stateHash, customerConfigId, userId, sessionHash, appId],
      );
      if (row === undefined) return null;
      const started: StartedSignIn = {
        stateHash,
        customerConfigId,
        userId,
        sessionHash,
        appId,
        redirectUri: row.redirect_uri,
        returnTo: row.return_to,
        pkceVerifierEnc: row.pkce_verifier_enc,
      };
      return started;
    },
  };
}
