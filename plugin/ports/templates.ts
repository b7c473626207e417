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
  /** The moment, before Meta is asked for its list: what is written after it is newer than the list. */
  now(): Promise<string>;
  /**
   * What Meta lists takes the place of what was known of the account. Of a creation whose answer was lost it says whether Meta has it; a template
   * that Meta never had stays, as `NOT_SENT`.
   * @param since of {@link Templates.now}; null where nobody else can have written.
   */
  replace(account: SendingAccount, listed: readonly ListedTemplate[], since: string | null): Promise<TemplateSync>;
  /** A connected number of each account that has a template of which nobody has known for a while what Meta did with it, or what it is now. */
  unsettled(): Promise<readonly SendingAccount[]>;
  /** The accounts in which the tenant has a number that is not disconnected, by id. */
  accounts(customerConfigId: string): Promise<readonly TemplateAccount[]>;
  /** By name, language and account; those of the tenant's accounts only. */
  list(
    filter: TemplateFilter,
    page: { readonly limit: number; readonly after: TemplatePlace | null },
  ): Promise<readonly StoredTemplate[]>;
  /** Null when it is in no account of the tenant's. */
  find(customerConfigId: string, id: string): Promise<StoredTemplate | null>;
  /**
   * A template that Meta is about to be asked for, as `UNCONFIRMED`: a webhook that is faster than the answer finds it, and a crash does not lose it.
   * It takes the place of one that Meta never had, or has deleted.
   * @returns its id; null when Meta has one of this name and language, or may have.
   */
  announce(account: SendingAccount, draft: TemplateDraft): Promise<string | null>;
  /**
   * Meta has taken it. A webhook that was faster has the last word about the status, unless it spoke of another template of that name.
   * @returns its id, which is another one where somebody has read the account's templates meanwhile.
   */
  settle(
    account: SendingAccount,
    draft: TemplateDraft,
    answer: { readonly templateId: string; readonly status: string; readonly category: string },
  ): Promise<string>;
  /**
   * Meta is about to be asked to change or delete it: `UNCONFIRMED` until {@link Templates.confirm} or {@link Templates.restore}.
   * @returns false when its status has changed since `before`: somebody else is about to change it, or has.
   */
  doubt(before: StoredTemplate, changes: Partial<Pick<TemplateDraft, "components" | "category">>): Promise<boolean>;
  /** Meta has taken the change: it is in review again, unless a webhook has spoken since. */
  confirm(id: string): Promise<void>;
  /** Meta would not: it is what it was, unless a webhook has spoken since. */
  restore(before: StoredTemplate): Promise<void>;
  forget(id: string): Promise<void>;
  /**
   * A template in all its languages; none when Meta has none of that name.
   * @param maxAgeMs null: however old.
   * @returns null when the account's templates were not read within that time, or Meta has changed this one since and did not say to what.
   */
  named(account: SendingAccount, name: string, maxAgeMs: number | null): Promise<readonly KnownTemplate[] | null>;
};

/** How many templates of an account a reading found new, changed, gone, and as they were. */
export type TemplateSync = Readonly<Record<"added" | "changed" | "removed" | "unchanged", number>>;

/** An account in which the tenant has a number. */
export type TemplateAccount = {
  readonly wabaId: string;
  /** The display name of one of its numbers. */
  readonly name: string | null;
  /** When its templates were last read from Meta. */
  readonly syncedAt: Date | null;
};

/** Which of a tenant's templates are listed. */
export type TemplateFilter = {
  readonly customerConfigId: string;
  readonly wabaId?: string | undefined;
  readonly status?: string | undefined;
  /** Stands in its name or its text. */
  readonly q?: string | undefined;
};

/** Where a template stands in the list. */
export type TemplatePlace = Pick<StoredTemplate, "name" | "language" | "wabaId">;

export type TemplateDraft = {
  readonly name: string;
  readonly language: string;
  readonly category: string;
  readonly parameterFormat: ListedTemplate["parameterFormat"];
  /** In Meta's own spelling. */
  readonly components: readonly unknown[];
};

/** A template as it is kept. */
export type StoredTemplate = KnownTemplate & {
  readonly id: string;
  readonly wabaId: string;
  /** Null until Meta has answered. */
  readonly templateId: string | null;
  readonly rejectedReason: string | null;
  readonly qualityScore: string | null;
  readonly updatedAt: Date;
  readonly syncedAt: Date | null;
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
