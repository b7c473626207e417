/** Tokens and PINs at rest. */

/** Tokens at rest. The row and tenant are inside the ciphertext, so a swapped one does not open. */
export type SecretBox = {
  seal(secret: string, context: SecretContext): string;
  /** @throws ChannelError SECRET_UNREADABLE */
  open(sealed: string, context: SecretContext): string;
};

export type SecretContext = { readonly customerConfigId: string; readonly rowId: string; readonly field: string };

/** Every sealed value of the channel, wherever it stands. */
export type SealedValues = {
  /**
   * The values after a place, in the order of their places; none when there are no more. What was sealed and stored
   * while they are read may be missed: whoever wants all of them goes through twice.
   */
  after(place: SealedPlace | null, limit: number): Promise<readonly SealedValue[]>;
  /** Puts another in its place if it is still the one that was read. @returns whether it was. */
  replace(value: SealedValue, sealed: string): Promise<boolean>;
  /** Key ids of sign-ins that are under way, and how many there are of each: they end within ten minutes. */
  underWay(): Promise<readonly { readonly sealed: string; readonly count: number }[]>;
};

export type SealedPlace = {
  readonly kind: "token" | "pin" | "onboarding-token" | "onboarding-pin";
  /** Of the row that it stands in. */
  readonly id: string;
  /** The number's, where a row has one for each; empty otherwise. */
  readonly member: string;
};

export type SealedValue = { readonly place: SealedPlace; readonly context: SecretContext; readonly sealed: string };
