/** An onboarding as the routes show it, for tests of what shows it in turn. */
import type { OfferedNumber } from "../../ui/api.js";

export function step(name: string, state = "done", rest: object = {}) {
  return { step: name, state, phone_number_id: null, error: null, ...rest };
}

export function offered(number: number, rest: Partial<OfferedNumber> = {}): OfferedNumber {
  return {
    phone_number_id: `300${number}`,
    waba_id: "201555000111222",
    waba_name: "Ada's Shops",
    phone_number: `+44 7700 90000${number}`,
    verified_name: `Shop ${number}`,
    quality_rating: "GREEN",
    on_business_app: false,
    held: null,
    ...rest,
  };
}

export const ONBOARDING = {
  id: "o1",
  state: "running",
  steps: [step("exchange"), step("inspect"), step("accounts")],
  numbers: [] as readonly object[],
  chosen: [] as readonly string[],
  error: null,
};
