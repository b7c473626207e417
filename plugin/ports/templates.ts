/** Templates as synced, and as Graph lists them. */

/** Whose words a send is, and with what it may ask Meta about its templates. */
export type SendingAccount = {
  readonly customerConfigId: string;
  readonly connectionId: string;
  readonly wabaId: string;
  /** Sealed for the connection's row; null when there is none. */
  readonly accessTokenEnc: string | null;
};

/** A template as far as a send needs it. */
export type KnownTemplate = Pick<
  ListedTemplate,
  "name" | "language" | "status" | "category" | "parameterFormat" | "components"
>;

export type Templates = {
  /** A connected number of the tenant's that has a token, in this account or, without one, in any; null when there is none. */
  accountOf(customerConfigId: string, wabaId: string | null): Promise<SendingAccount | null>;
  /** What Meta lists takes the place of everything that was known of the account. */
  replace(account: SendingAccount, listed: readonly ListedTemplate[]): Promise<void>;
  /**
   * A template in all its languages; none when Meta has none of that name.
   * @param maxAgeMs null: however old.
   * @returns null when the account's templates were not read within that time.
   */
  named(account: SendingAccount, name: string, maxAgeMs: number | null): Promise<readonly KnownTemplate[] | null>;
};

/** A template in one language, as Graph lists it. */
export type ListedTemplate = {
  readonly templateId: string;
  readonly name: string;
  readonly language: string;
  /** `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED`, …: only approved ones can be sent. */
  readonly status: string;
  /** `MARKETING`, `UTILITY`, `AUTHENTICATION`. */
  readonly category: string | null;
  readonly subCategory: string | null;
  /** What it was before Meta changed it. */
  readonly previousCategory: string | null;
  /** What Meta is about to change it to. */
  readonly correctCategory: string | null;
  /** Whether its variables are called by name or by number. */
  readonly parameterFormat: "NAMED" | "POSITIONAL";
  /** In Meta's own spelling: what they mean is read where a template is chosen. */
  readonly components: readonly unknown[];
  /** `GREEN`, `YELLOW`, `RED`, `UNKNOWN`. */
  readonly qualityScore: string | null;
  readonly rejectedReason: string | null;
  /** How long Meta tries to deliver it; null for Meta's default. */
  readonly sendTtlSeconds: number | null;
  readonly libraryTemplateName: string | null;
};
