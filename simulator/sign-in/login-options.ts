/** How signing in behaves: what the app is configured to, and what the person brings. */

export type LoginOptions = {
  /** The app's Valid OAuth Redirect URIs, compared byte by byte. Default: any loopback address. */
  readonly redirectUris?: readonly string[];
  /** The only `config_id` that the dialog takes. Default: any. */
  readonly configId?: string;
  /** Default: `system-user` where the dialog has a `config_id`, else `user`. */
  readonly tokenKind?: "system-user" | "user";
  /** Null: never, and `expires_in` is absent. Default: never for system users, 90 minutes for users. */
  readonly expiresInSeconds?: number | null;
  /** Default: 30 s for the codes of a popup, 10 minutes for those of a redirect. */
  readonly codeLifeMs?: number;
  /** What the token really gets. Default: what a WhatsApp configuration has, or the `scope` asked for. */
  readonly scopes?: readonly string[];
  /** Who signs in, as the app knows them. */
  readonly userId?: string;
  readonly userName?: string;
  /** Whether `code_challenge` means anything. Meta documents it for OpenID Connect only. Default true. */
  readonly supportsPkce?: boolean;
};

export type LoginSettings = {
  readonly now: () => LoginOptions;
  set(options: LoginOptions): void;
  userId(): string;
  userName(): string;
};

/** Not the user of the tokens that the options name: revoking one must not end the other. */
const DEFAULT_USER_ID = "104000000000002";

export function createLoginSettings(initial: LoginOptions): LoginSettings {
  let options = initial;
  return {
    now: () => options,
    set(changes) {
      options = { ...options, ...changes };
    },
    userId: () => options.userId ?? DEFAULT_USER_ID,
    userName: () => options.userName ?? "Ada Quill",
  };
}
